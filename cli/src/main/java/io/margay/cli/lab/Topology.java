package io.margay.cli.lab;

import io.margay.model.net.Asn;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.nio.file.Path;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A rack as its file describes it (docs/lab.md): who is there and who is linked to whom. Checked
/// as a whole: every name it mentions exists.
///
/// @param name what the rack is called; the lab's own name is given when it is raised
/// @param etcdMembers 1 or 3
/// @param addresses where link, node and management addresses come from
/// @param bgp timers and graceful restart of every session
/// @param links what links between routers and nodes have for addresses
/// @param tors the routers, at least one
/// @param nodes the machines that run an agent, at least one unless only routers are wanted
/// @param reflectors nodes that reflect routes between the others; where there are some, all nodes
///   share one segment and routers have no session with them
/// @param pools what pods get their addresses from
/// @param namespaces the pods' namespaces with their labels, by name
/// @param pods in the order of every matrix
/// @param agent what the agents' settings say beside all this
public record Topology(
    String name,
    int etcdMembers,
    Addresses addresses,
    Bgp bgp,
    Links links,
    List<Tor> tors,
    List<Node> nodes,
    List<String> reflectors,
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
    reflectors = List.copyOf(reflectors);
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
        new Bgp(bgp.holdSeconds(), on, bgp.bfd(), bgp.allowOwnAs()),
        links,
        tors,
        nodes,
        reflectors,
        pools,
        namespaces,
        pods,
        agent);
  }

  Optional<Tor> tor(String wanted) {
    return tors.stream().filter(tor -> tor.name().equals(wanted)).findFirst();
  }

  /// What a link between a router and a node has for addresses.
  public enum Links {
    /// A /31 and a /126 each.
    NUMBERED,
    /// Link-local ones alone: sessions run between these, and IPv4 is routed by IPv6 next hops (RFC
    /// 8950).
    UNNUMBERED
  }

  /// Where addresses come from. One /31 and one /126 a link; a node with several links, or with
  /// unnumbered ones, has its own address on `lo`, from the node ranges.
  ///
  /// @param families what links and nodes have addresses of, at least one
  public record Addresses(
      Set<IpFamily> families,
      Prefix links4,
      Prefix links6,
      Prefix nodes4,
      Prefix nodes6,
      Prefix management) {
    public Addresses {
      families = Collections.unmodifiableSet(EnumSet.copyOf(families));
    }

    boolean has(IpFamily family) {
      return families.contains(family);
    }
  }

  /// Session settings.
  ///
  /// @param holdSeconds hold time the routers offer (RFC 4271 §4.2); 0 or at least 3
  /// @param gracefulRestart whether agents ask the routers to keep their routes while they restart
  /// @param bfd what watches the links of all sessions, if anything does
  /// @param allowOwnAs how often a node's own AS may be in a path it takes; above 0, nodes may
  ///   share an AS
  public record Bgp(int holdSeconds, boolean gracefulRestart, Optional<Bfd> bfd, int allowOwnAs) {

    /// Sessions that nothing watches but their hold time, of nodes with an AS each.
    public Bgp(int holdSeconds, boolean gracefulRestart) {
      this(holdSeconds, gracefulRestart, Optional.empty(), 0);
    }
  }

  /// BFD (RFC 5880) between the ends of a session: both send a packet each `intervalMillis`, and
  /// the other is dead when `multiplier` of them are missing.
  public record Bfd(int intervalMillis, int multiplier) {
    private static final Pattern FORM = Pattern.compile("(\\d{2,5})ms x (\\d{1,3})");

    /// The form `300ms x 3`.
    static Bfd parse(String text) {
      Matcher matcher = FORM.matcher(text);
      if (!matcher.matches()) {
        throw new IllegalArgumentException(text);
      }
      Bfd bfd = new Bfd(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
      // What an agent takes, and FRR (50 ms to 60 s) with it.
      if (bfd.intervalMillis < 50
          || bfd.intervalMillis > 60_000
          || bfd.multiplier < 2
          || bfd.multiplier > 255) {
        throw new IllegalArgumentException(text);
      }
      return bfd;
    }

    @Override
    public String toString() {
      return intervalMillis + "ms x " + multiplier;
    }
  }

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

  /// A router: top of a rack, or above some.
  ///
  /// @param tors the routers above it that it is linked to, in order; each is named before it
  public record Tor(String name, RouterDaemon daemon, Asn asn, List<String> tors) {
    public Tor {
      tors = List.copyOf(tors);
    }
  }

  /// @param log the least level the agents log
  /// @param reclaimAfterSeconds how long a pod's wire has to be gone before it is released without
  ///   a DEL
  /// @param docker whether the agents serve Docker Engine
  public record Agent(String log, int reclaimAfterSeconds, boolean docker) {}

  /// A machine with an agent.
  ///
  /// @param tors the routers it is linked to, in order
  public record Node(String name, Asn asn, List<String> tors) {
    public Node {
      tors = List.copyOf(tors);
    }
  }

  /// An address pool.
  ///
  /// @param vxlanMode as an IPPool has it; one that is wrapped is told to no router
  public record Pool(Prefix cidr, int blockSize, String vxlanMode) {

    /// What is sent as it is.
    public static final String NEVER = "Never";

    /// A pool whose packets are not wrapped.
    public Pool(Prefix cidr, int blockSize) {
      this(cidr, blockSize, NEVER);
    }

    boolean isWrapped() {
      return !vxlanMode.equals(NEVER);
    }
  }

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

  /// Whether all nodes share one segment and tell each other of pods through reflectors.
  boolean isSegment() {
    return !reflectors.isEmpty();
  }

  /// Whether packets of some pool are wrapped, so that nodes have to reach each other.
  boolean hasOverlay() {
    return pools.stream().anyMatch(Pool::isWrapped);
  }

  /// Whether any pool serves `family`.
  public boolean serves(IpFamily family) {
    return pools.stream().anyMatch(pool -> pool.cidr().family() == family);
  }
}
