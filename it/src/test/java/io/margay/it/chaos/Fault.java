package io.margay.it.chaos;

import io.margay.cli.lab.Command;
import io.margay.cli.lab.LabException;
import io.margay.cli.lab.Topology.Node;
import io.margay.cli.lab.Topology.Tor;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.Set;

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

  /// What an upgrade does.
  AGENT_TERMINATED(true) {
    @Override
    String strike(ChaosRack rack, Random random, Meanwhile meanwhile) throws LabException {
      Node node = rack.node(random);
      ProcessHandle agent = rack.lab().agent(node);
      rack.agentIsAway(node);
      agent.destroy();
      agent.onExit().join();
      meanwhile.happen();
      rack.lab().startAgent(node, true);
      rack.agentIsBack(node);
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

  /// Strikes and heals.
  ///
  /// @return what was hit
  abstract String strike(ChaosRack rack, Random random, Meanwhile meanwhile) throws LabException;

  static void signal(String name, long pid) throws LabException {
    Command.of("kill", "-" + name, Long.toString(pid)).output();
  }
}
