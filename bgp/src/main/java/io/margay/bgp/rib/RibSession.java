package io.margay.bgp.rib;

import io.margay.bgp.message.PathAttributes;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.util.Map;
import java.util.Set;
import java.util.function.ToIntFunction;

/// An established session as the RIBs see it.
///
/// @param families what is exchanged
/// @param keptForwarding families the peer says it kept forwarding over its restart (F bit)
/// @param restarting the peer said it is restarting (R bit)
/// @param nextHops what to announce as next hop
/// @param maxMessageOctets longest UPDATE
/// @param attributeOctets what attributes take on the wire
public record RibSession(
    RibPeer peer,
    Set<IpFamily> families,
    Set<IpFamily> keptForwarding,
    boolean restarting,
    Map<IpFamily, IpAddress> nextHops,
    int maxMessageOctets,
    ToIntFunction<PathAttributes> attributeOctets) {
  public RibSession {
    families = Set.copyOf(families);
    keptForwarding = Set.copyOf(keptForwarding);
    nextHops = Map.copyOf(nextHops);
  }
}
