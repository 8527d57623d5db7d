package io.margay.cli.lab;

import io.margay.model.net.Asn;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// A rack as its file describes it (docs/lab.md): who is there and who is linked to whom. Checked
/// as a whole: every name it mentions exists.
///
/// @param name what the rack is called; the lab's own name is given when it is raised
/// @param etcdMembers 1 or 3
/// @param addresses where link, node and management addresses come from
/// @param bgp timers and graceful restart of every session
/// @param tors the routers, at least one
/// @param nodes the machines that run an agent, at least one unless only routers are wanted
/// @param pools what pods get their addresses from
/// @param namespaces the pods' namespaces with their labels, by name
/// @param pods in the order of every matrix
/// @param agent what the agents' settings say beside all this
public record Topology(
    String name,
    int etcdMembers,
    Addresses addresses,
    Bgp bgp,
    List<Tor> tors,
    List<Node> nodes,
    List<Pool> pools,
    Map<String, Map<String, String>> namespaces,
    List<Pod> pods,
    Agent agent) {

  /// Reads a topology file.
  ///
  /// @throws TopologyException one line: file, key path, expectation
  public static Topology read(Path file) throws TopologyException {
    return TopologyReader.read(file);
  }

  public Topology {
    tors = List.copyOf(tors);
    nodes = List.copyOf(nodes);
    pools = List.copyOf(pools);
    pods = List.copyOf(pods);
    namespaces = Collections.unmodifiableMap(new LinkedHashMap<>(namespaces));
  }

  /// The same rack with graceful restart on or off.
  public Topology withGracefulRestart(boolean on) {
    return new Topology(
        name,
        etcdMembers,
        addresses,
        new Bgp(bgp.holdSeconds(), on),
        tors,
        nodes,
        pools,
        namespaces,
        pods,
        agent);
  }

  Optional<Tor> tor(String wanted) {
    return tors.stream().filter(tor -> tor.name().equals(wanted)).findFirst();
  }

  /// Where addresses come from. One /31 and one /126 a link; a node with several links has its own
  /// address on `lo`, from the node ranges.
  public record Addresses(
      Prefix links4, Prefix links6, Prefix nodes4, Prefix nodes6, Prefix management) {}

  /// Session settings.
  ///
  /// @param holdSeconds hold time the routers offer (RFC 4271 §4.2); 0 or at least 3
  /// @param gracefulRestart whether agents ask the routers to keep their routes while they restart
  public record Bgp(int holdSeconds, boolean gracefulRestart) {}

  /// The program that plays a router.
  public enum RouterDaemon {
    BIRD,
    FRR,
    /// A peer of the control plane only: it puts no route into the kernel, so nothing is forwarded.
    GOBGP;

    String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /// A top-of-rack router.
  public record Tor(String name, RouterDaemon daemon, Asn asn) {}

  /// @param log the least level the agents log
  /// @param reclaimAfterSeconds how long a pod's wire has to be gone before it is released without
  ///   a DEL
  public record Agent(String log, int reclaimAfterSeconds) {}

  /// A machine with an agent.
  ///
  /// @param tors the routers it is linked to, in order
  public record Node(String name, Asn asn, List<String> tors) {
    public Node {
      tors = List.copyOf(tors);
    }
  }

  /// An address pool.
  public record Pool(Prefix cidr, int blockSize) {}

  /// A pod.
  ///
  /// @param ports what `probe` listens on in it
  public record Pod(
      String name, String namespace, String node, Map<String, String> labels, List<Port> ports) {
    public Pod {
      ports = List.copyOf(ports);
    }
  }

  /// Transport of a probed port.
  public enum Protocol {
    TCP,
    UDP
  }

  /// A probed port, written `80/tcp`.
  public record Port(int number, Protocol protocol) {

    public Port {
      if (number < 1 || number > 65535) {
        throw new IllegalArgumentException("port " + number + " is not in 1..65535");
      }
    }

    public static Port parse(String text) {
      int slash = text.indexOf('/');
      if (slash < 1) {
        throw new IllegalArgumentException("\"" + text + "\" is not PORT/tcp or PORT/udp");
      }
      Protocol protocol =
          switch (text.substring(slash + 1)) {
            case "tcp" -> Protocol.TCP;
            case "udp" -> Protocol.UDP;
            default ->
                throw new IllegalArgumentException("\"" + text + "\" is not PORT/tcp or PORT/udp");
          };
      return new Port(Integer.parseInt(text.substring(0, slash)), protocol);
    }

    @Override
    public String toString() {
      return number + "/" + protocol.name().toLowerCase(Locale.ROOT);
    }
  }

  /// Whether any pool serves `family`.
  public boolean serves(IpFamily family) {
    return pools.stream().anyMatch(pool -> pool.cidr().family() == family);
  }
}
