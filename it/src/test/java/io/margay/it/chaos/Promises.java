package io.margay.it.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.cli.lab.Command;
import io.margay.cli.lab.LabException;
import io.margay.cli.lab.LeakChecker;
import io.margay.cli.lab.LeakChecker.Kind;
import io.margay.cli.lab.Probe;
import io.margay.cli.lab.Probe.Seen;
import io.margay.cli.lab.Probe.Try;
import io.margay.cli.lab.Topology.Node;
import io.margay.cli.lab.Topology.Pod;
import io.margay.cli.lab.Topology.Port;
import io.margay.cli.lab.Topology.Protocol;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.policy.oracle.Flow;
import io.margay.policy.oracle.PolicyOracle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/// What holds on a rack that is left alone for a moment: who reaches whom is what policy says, no
/// address is two pods', nothing is left of pods that are gone, and every route leads to a block
/// that its owner has.
final class Promises {

  /// How soon after a fault has healed.
  static final Duration LIMIT = Duration.ofSeconds(45);

  private static final String AFFINITIES = "/calico/ipam/v2/host/";
  private static final int SHOWN = 12;

  /// What a backup brings back of a pod that is gone, and what follows from that on other nodes.
  private static final Set<Kind> REVIVED =
      EnumSet.of(Kind.ADDRESS, Kind.HANDLE, Kind.ENDPOINT, Kind.SET_ELEMENT, Kind.CHAIN, Kind.RULE);

  private final ChaosRack rack;

  Promises(ChaosRack rack) {
    this.rack = rack;
  }

  /// How long it took until all held.
  ///
  /// @param last what was the last to come right; empty when nothing was wrong
  /// @param broken what does not hold in the end
  record Settled(Duration took, String last, List<String> broken) {

    @Override
    public String toString() {
      return took.toMillis() + " ms" + (last.isEmpty() ? "" : " (last: " + last + ")");
    }
  }

  /// Waits until all hold.
  Settled settle() throws LabException {
    long start = System.nanoTime();
    String last = "";
    while (true) {
      List<String> broken = broken();
      Duration took = Duration.ofNanos(System.nanoTime() - start);
      if (broken.isEmpty() || took.compareTo(LIMIT) > 0) {
        return new Settled(took, last, broken);
      }
      last = broken.getFirst();
      ChaosRack.pause(Duration.ofMillis(200));
    }
  }

  private List<String> broken() throws LabException {
    List<String> broken = new ArrayList<>();
    leaks(broken);
    addresses(broken);
    routes(broken);
    if (broken.isEmpty()) {
      matrix(broken);
    }
    return broken;
  }

  /// What is left of pods that are gone.
  List<String> leaks() throws LabException {
    List<String> broken = new ArrayList<>();
    leaks(broken);
    return broken;
  }

  private void leaks(List<String> broken) throws LabException {
    Set<String> living = new HashSet<>();
    for (Pod pod : rack.wired()) {
      living.addAll(rack.lab().runtime().marks(pod));
    }
    for (LeakChecker.Leak leak : new LeakChecker(rack.lab()).check()) {
      // It is written anew now and then only.
      boolean isLate = leak.what().contains("/datastore.snapshot ");
      // Of pods that had gone since the backup was made: the garbage collector's.
      boolean isRevived = rack.wasRestored() && REVIVED.contains(leak.kind());
      if (!isLate && !isRevived && living.stream().noneMatch(mark -> mentions(leak.what(), mark))) {
        broken.add(leak.toString());
      }
    }
  }

  /// As a whole: 10.65.0.2 is not in 10.65.0.21.
  private static boolean mentions(String text, String mark) {
    return Pattern.compile(Pattern.quote(mark) + "(?![0-9a-fA-F:.])").matcher(text).find();
  }

  private void addresses(List<String> broken) throws LabException {
    Map<IpAddress, Pod> owners = new HashMap<>();
    for (Pod pod : rack.wired()) {
      for (IpFamily family : IpFamily.values()) {
        IpAddress address = rack.lab().runtime().address(pod, family).orElseThrow();
        Pod other = owners.put(address, pod);
        if (other != null) {
          broken.add(address + " is of " + other.name() + " and of " + pod.name());
        }
      }
    }
  }

  /// Each node's routes of ours to other nodes' blocks are those that etcd says they have.
  private void routes(List<String> broken) throws LabException {
    Map<String, String> owners = new HashMap<>();
    for (ChaosRack.KeyAndValue pair : rack.stored(AFFINITIES)) {
      String[] parts = pair.key().substring(AFFINITIES.length()).split("/");
      owners.put(parts[parts.length - 1].replaceAll("-(\\d+)$", "/$1"), parts[0]);
    }
    for (Node node : rack.nodes()) {
      for (IpFamily family : IpFamily.values()) {
        String shown =
            Command.of(
                    "ip",
                    "-n",
                    rack.netns(node),
                    "-N",
                    "-j",
                    "-" + family.version(),
                    "route",
                    "show",
                    "proto",
                    "117")
                .output();
        Set<String> found = new HashSet<>();
        for (JsonNode route : ChaosRack.json(shown)) {
          String to = route.path("dst").asText();
          if (to.contains("/")) {
            found.add(to);
            String owner = owners.get(to);
            if (owner == null) {
              broken.add("route to " + to + " on " + node.name() + " leads to nobody's block");
            } else if (!owner.equals(node.name())
                && route.path("type").asText().equals("blackhole")) {
              broken.add(to + " of " + owner + " is a blackhole on " + node.name());
            }
          }
        }
        owners.forEach(
            (block, owner) -> {
              boolean isFamilys = block.contains(":") == (family == IpFamily.IPV6);
              if (isFamilys && !found.contains(block)) {
                broken.add(node.name() + " has no route to " + block + " of " + owner);
              }
            });
      }
    }
  }

  private void matrix(List<String> broken) throws LabException {
    PolicyOracle oracle = new PolicyOracle(rack.world());
    List<String> wrong = new ArrayList<>();
    for (Try one : new Probe(rack.lab(), rack.wired(), List.of()).run()) {
      boolean allowed = oracle.decide(flow(one)).allowed();
      if (allowed != (one.seen() == Seen.OPEN)) {
        wrong.add(
            one.from().name()
                + " -> "
                + one.to().name()
                + " "
                + one.port()
                + " over "
                + one.family()
                + (allowed ? ": allowed, but " : ": denied, but ")
                + one.seen());
      }
    }
    broken.addAll(wrong.subList(0, Math.min(SHOWN, wrong.size())));
    if (wrong.size() > SHOWN) {
      broken.add("and " + (wrong.size() - SHOWN) + " more");
    }
  }

  private Flow flow(Try one) throws LabException {
    IpAddress from = rack.lab().runtime().address(one.from(), one.family()).orElseThrow();
    IpAddress to = rack.lab().runtime().address(one.to(), one.family()).orElseThrow();
    Port port = one.port();
    return port.protocol() == Protocol.TCP
        ? Flow.tcp(from, to, port.number())
        : Flow.udp(from, to, port.number());
  }
}
