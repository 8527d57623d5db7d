package io.margay.agent.firewall;

import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// What of the node's own protection is not policy (FelixConfiguration).
///
/// @param workloadToHost `defaultEndpointToHostAction`
/// @param inbound `failsafeInboundHostPorts`
/// @param outbound `failsafeOutboundHostPorts`, and the datastore
public record HostProtection(
    ToHostAction workloadToHost, List<Failsafe> inbound, List<Failsafe> outbound) {

  private static final int TCP = 6;
  private static final int UDP = 17;

  /// SSH, BGP, etcd, Typha, the API server, etcd of old, DHCP.
  public static final List<Failsafe> DEFAULT_INBOUND =
      Stream.concat(
              tcp(22, 179, 2379, 2380, 5473, 6443, 6666, 6667),
              Stream.of(new Failsafe(UDP, 68, null)))
          .toList();

  /// DNS, DHCP, BGP, etcd, Typha, the API server, etcd of old.
  public static final List<Failsafe> DEFAULT_OUTBOUND =
      Stream.concat(
              tcp(179, 2379, 2380, 5473, 6443, 6666, 6667),
              Stream.of(new Failsafe(UDP, 53, null), new Failsafe(UDP, 67, null)))
          .toList();

  public static final HostProtection DEFAULT =
      new HostProtection(ToHostAction.ACCEPT, DEFAULT_INBOUND, DEFAULT_OUTBOUND);

  public HostProtection {
    inbound = List.copyOf(inbound);
    outbound = List.copyOf(outbound);
  }

  private static Stream<Failsafe> tcp(int... ports) {
    return IntStream.of(ports).mapToObj(port -> new Failsafe(TCP, port, null));
  }

  /// What becomes of packets from workloads to the node itself, once their own egress policy let
  /// them pass.
  public enum ToHostAction {
    /// They arrive; other tables may still have a say.
    ACCEPT,
    /// They are dropped, but for answers and neighbour discovery.
    DROP
  }
}
