package io.margay.it.chaos;

import io.margay.cli.lab.Command;
import io.margay.cli.lab.Distribution;
import io.margay.cli.lab.Lab;
import io.margay.cli.lab.LabException;
import io.margay.cli.lab.Topology.Node;
import io.margay.cli.lab.Topology.Tor;
import io.margay.datastore.SnapshotFile;
import io.margay.it.MovableClock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;

/// Something that happens to a rack.
enum Fault {

  /// A crash, and the service manager's restart.
  AGENT_KILLED(true) {
    @Override
    String strike(ChaosRack rack, Random random, Meanwhile meanwhile) throws LabException {
      Node node = rack.node(random);
      rack.agentIsAway(node);
      rack.lab().killAgent(node);
      meanwhile.happen();
      rack.lab().startAgent(node, true);
      rack.agentIsBack(node);
      return node.name();
    }
  },

  /// What a service manager does.
  AGENT_TERMINATED(true) {
    @Override
    String strike(ChaosRack rack, Random random, Meanwhile meanwhile) throws LabException {
      Node node = rack.node(random);
      rack.restart(node, rack.lab().usual(), meanwhile);
      return node.name();
    }
  },

  /// Longer than BGP's hold time would be a death; this is not.
  AGENT_FROZEN(true) {
    @Override
    String strike(ChaosRack rack, Random random, Meanwhile meanwhile) throws LabException {
      Node node = rack.node(random);
      long pid = rack.lab().agent(node).pid();
      signal("STOP", pid);
      ChaosRack.pause(Duration.ofSeconds(2));
      signal("CONT", pid);
      meanwhile.happen();
      return node.name();
    }
  },

  ALL_AGENTS_KILLED(true) {
    @Override
    String strike(ChaosRack rack, Random random, Meanwhile meanwhile) throws LabException {
      for (Node node : rack.nodes()) {
        rack.lab().killAgent(node);
      }
      for (Node node : rack.nodes()) {
        rack.lab().startAgent(node, true);
      }
      meanwhile.happen();
      return "all";
    }
  },

  ETCD_KILLED(true) {
    @Override
    String strike(ChaosRack rack, Random random, Meanwhile meanwhile) throws LabException {
      rack.storeIsAway();
      rack.lab().killEtcd();
      ChaosRack.pause(Duration.ofMillis(500 + random.nextInt(1500)));
      meanwhile.happen();
      rack.lab().restartEtcd();
      rack.storeIsBack();
      return "";
    }
  },

  /// It accepts, and says nothing.
  ETCD_HANGS(true) {
    @Override
    String strike(ChaosRack rack, Random random, Meanwhile meanwhile) throws LabException {
      List<Long> members = rack.lab().etcd().stream().map(ProcessHandle::pid).toList();
      rack.storeIsAway();
      for (long member : members) {
        signal("STOP", member);
      }
      ChaosRack.pause(Duration.ofMillis(1000 + random.nextInt(3000)));
      for (long member : members) {
        signal("CONT", member);
      }
      rack.storeIsBack();
      meanwhile.happen();
      return "";
    }
  },

  /// The agent comes up from what it kept on its disk.
  AGENT_KILLED_WHILE_ETCD_IS_AWAY(true) {
    @Override
    String strike(ChaosRack rack, Random random, Meanwhile meanwhile) throws LabException {
      Node node = rack.node(random);
      rack.storeIsAway();
      rack.lab().killEtcd();
      rack.lab().killAgent(node);
      rack.lab().startAgent(node, true);
      meanwhile.happen();
      rack.lab().restartEtcd();
      rack.storeIsBack();
      return node.name();
    }
  },

  /// Pods and policies came and went since the backup was made: policies are again what they were,
  /// pods are those that live.
  ETCD_RESTORED_FROM_A_BACKUP(true) {
    @Override
    String strike(ChaosRack rack, Random random, Meanwhile meanwhile) throws LabException {
      Set<String> policies = rack.backUp();
      meanwhile.happen();
      meanwhile.happen();
      rack.storeIsAway();
      rack.restore(policies);
      rack.storeIsBack();
      return "";
    }
  },

  /// With a release on its way to all nodes, agents and plugins of both meet.
  AGENT_UPGRADED(true) {
    @Override
    String strike(ChaosRack rack, Random random, Meanwhile meanwhile) throws LabException {
      Node node = rack.node(random);
      Lab.Variant before = rack.lab().usual();
      Distribution build = rack.otherBuild();
      rack.restart(node, new Lab.Variant(build, Map.of(), before.settings()), meanwhile);
      rack.renew(node, before.distribution());
      rack.renew(node, build);
      rack.restart(node, before, meanwhile);
      rack.renew(node, build);
      return node.name();
    }
  },

  /// Settings are read again by an agent that runs, then by one that starts, and are again what
  /// they were.
  SETTINGS_CHANGED(true) {
    @Override
    String strike(ChaosRack rack, Random random, Meanwhile meanwhile) throws LabException {
      Node node = rack.node(random);
      Lab.Variant usual = rack.lab().usual();
      Lab.Variant other =
          new Lab.Variant(
              usual.distribution(),
              Map.of(),
              settings ->
                  settings.replaceFirst("log: \\w+", "log: debug")
                      + "policyChangeMode: Keep\nreserve: 8\n");
      int from = rack.said(node).length();
      rack.lab().writeSettings(node, other);
      signal("HUP", rack.lab().agent(node).pid());
      rack.awaitSaid(node, from, "a setting has changed ", "key=\"log\"", "to=\"debug\"");
      rack.awaitSaid(node, from, "applies when the agent is restarted", "key=\"reserve\"");
      meanwhile.happen();
      rack.restart(node, other, meanwhile);
      meanwhile.happen();
      rack.restart(node, usual, meanwhile);
      return node.name();
    }
  },

  /// An hour ahead, an hour behind, two days ahead, and right again.
  CLOCK_JUMPS(true) {
    @Override
    String strike(ChaosRack rack, Random random, Meanwhile meanwhile) throws LabException {
      Node node = rack.node(random);
      Lab.Variant usual = rack.lab().usual();
      MovableClock clock = new MovableClock(rack.lab().plan().nodeDirectory(node).resolve("clock"));
      rack.restart(
          node,
          new Lab.Variant(usual.distribution(), clock.environment(), usual.settings()),
          meanwhile);
      for (Duration ahead :
          List.of(Duration.ofHours(1), Duration.ofHours(-1), Duration.ofDays(2), Duration.ZERO)) {
        clock.set(ahead);
        Instant made = rack.madeAt(rack.renew(node, usual.distribution()));
        Duration off = Duration.between(Instant.now().plus(ahead), made).abs();
        if (off.compareTo(Duration.ofMinutes(1)) > 0) {
          throw new LabException(
              "the clock of " + node.name() + " was to be off by " + ahead + ", it says " + made);
        }
        meanwhile.happen();
      }
      rack.restart(node, usual, meanwhile);
      return node.name();
    }
  },

  /// That of the agent's state and that of its sockets and queues, and the agent starts on them.
  /// ADD works or names the disk, DEL works.
  DISKS_FULL(true) {
    @Override
    String strike(ChaosRack rack, Random random, Meanwhile meanwhile) throws LabException {
      Node node = rack.node(random);
      Lab.Variant usual = rack.lab().usual();
      rack.end(node);
      try (SmallDisk state = SmallDisk.under(rack.lab().plan().stateDirectory(node));
          SmallDisk run = SmallDisk.under(rack.lab().plan().runDirectory(node))) {
        rack.begin(node, usual);
        for (SmallDisk disk : List.of(state, run)) {
          disk.fill();
        }
        comeAndGo(rack, node);
        rack.end(node);
        rack.begin(node, usual);
        comeAndGo(rack, node);
        readable(rack.lab().plan().stateDirectory(node));
        for (SmallDisk disk : List.of(state, run)) {
          disk.makeRoom();
        }
        rack.renew(node, usual.distribution());
        meanwhile.happen();
        rack.end(node);
      }
      rack.begin(node, usual);
      return node.name();
    }

    private void comeAndGo(ChaosRack rack, Node node) throws LabException {
      rack.remove(node);
      Optional<String> refused = rack.tryToAdd(node);
      if (refused.isPresent() && !refused.get().contains("No space left on device")) {
        throw new LabException("an ADD that does not say what is wrong: " + refused.get());
      }
    }

    // Whole, the one before or the one after.
    private void readable(Path state) throws LabException {
      try (Stream<Path> entries = Files.list(state.resolve("journal"))) {
        if (SnapshotFile.read(state.resolve("datastore.snapshot")).isEmpty()) {
          throw new LabException("there is no last known good state in " + state);
        }
        for (Path entry : entries.filter(file -> file.toString().endsWith(".json")).toList()) {
          ChaosRack.json(Files.readString(entry));
        }
      } catch (IOException torn) {
        throw new LabException("what is kept in " + state + " is torn: " + torn, torn);
      }
    }
  },

  /// Minutes, in which pods live on what their nodes keep, and an agent starts.
  ETCD_AWAY_FOR_LONG(true) {
    @Override
    String strike(ChaosRack rack, Random random, Meanwhile meanwhile) throws LabException {
      Node node = rack.node(random);
      int seconds = 120 + random.nextInt(120);
      rack.storeIsAway();
      rack.lab().killEtcd();
      for (int i = 0; i < seconds / 10; i++) {
        meanwhile.happen();
        ChaosRack.pause(Duration.ofSeconds(10));
        if (i == seconds / 20) {
          rack.restart(node, rack.lab().usual(), meanwhile);
        }
      }
      rack.lab().restartEtcd();
      rack.storeIsBack();
      return seconds + " s, " + node.name();
    }

    @Override
    boolean isLong() {
      return true;
    }
  },

  TOR_DIES(false) {
    @Override
    String strike(ChaosRack rack, Random random, Meanwhile meanwhile) throws LabException {
      Tor tor = rack.tor(random);
      rack.lab().killTor(tor);
      meanwhile.happen();
      ChaosRack.pause(Duration.ofMillis(random.nextInt(3000)));
      rack.lab().reviveTor(tor);
      return tor.name();
    }
  },

  /// Sessions live through it, the kernel's routes do not.
  LINK_FLAPS(false) {
    @Override
    String strike(ChaosRack rack, Random random, Meanwhile meanwhile) throws LabException {
      Node node = rack.node(random);
      Tor tor = rack.tor(random);
      String netns = rack.lab().plan().machineNamespace(tor.name());
      Command.of("ip", "-n", netns, "link", "set", node.name(), "down").output();
      ChaosRack.pause(Duration.ofMillis(random.nextInt(1500)));
      Command.of("ip", "-n", netns, "link", "set", node.name(), "up").output();
      meanwhile.happen();
      return node.name() + "-" + tor.name();
    }
  },

  /// With tables that have an owner the kernel refuses; those of an agent that is away have none.
  RULES_FLUSHED(false) {
    @Override
    String strike(ChaosRack rack, Random random, Meanwhile meanwhile) throws LabException {
      Node node = rack.node(random);
      Command.in(rack.netns(node), "nft", "flush", "ruleset").run();
      meanwhile.happen();
      return node.name();
    }
  },

  ROUTES_FLUSHED(false) {
    @Override
    String strike(ChaosRack rack, Random random, Meanwhile meanwhile) throws LabException {
      Node node = rack.node(random);
      Command.of("ip", "-n", rack.netns(node), "route", "flush", "proto", "117").output();
      Command.of("ip", "-n", rack.netns(node), "-6", "route", "flush", "proto", "117").output();
      meanwhile.happen();
      return node.name();
    }
  },

  /// Somebody sets a pod's interface down and up.
  POD_LINK_FLAPS(false) {
    @Override
    String strike(ChaosRack rack, Random random, Meanwhile meanwhile) throws LabException {
      Node node = rack.node(random);
      String shown = Command.of("ip", "-n", rack.netns(node), "-j", "link").output();
      for (var link : ChaosRack.json(shown)) {
        String name = link.path("ifname").asText();
        if (name.startsWith("cali")) {
          Command.of("ip", "-n", rack.netns(node), "link", "set", name, "down").output();
          Command.of("ip", "-n", rack.netns(node), "link", "set", name, "up").output();
          break;
        }
      }
      meanwhile.happen();
      return node.name();
    }
  };

  /// What happens to pods and policies while a fault is there.
  interface Meanwhile {
    void happen() throws LabException;
  }

  private final boolean isHitless;

  Fault(boolean isHitless) {
    this.isHitless = isHitless;
  }

  /// Whether no packet may be lost over it.
  boolean isHitless() {
    return isHitless;
  }

  /// Whether it takes minutes, which only long runs have.
  boolean isLong() {
    return false;
  }

  /// Strikes and heals.
  ///
  /// @return what was hit
  abstract String strike(ChaosRack rack, Random random, Meanwhile meanwhile) throws LabException;

  static void signal(String name, long pid) throws LabException {
    Command.of("kill", "-" + name, Long.toString(pid)).output();
  }
}
