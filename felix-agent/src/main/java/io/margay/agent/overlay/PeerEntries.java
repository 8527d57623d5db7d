package io.margay.agent.overlay;

import io.margay.agent.overlay.OverlayPlan.Peer;
import io.margay.agent.overlay.OverlayPlan.Wrapping;
import io.margay.linux.LinuxException;
import io.margay.linux.route.ForwardingEntry;
import io.margay.linux.route.Neighbour;
import io.margay.linux.route.Rtnetlink;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.MacAddress;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// What a device of the overlay knows of the other nodes: a neighbour and a forwarding entry each,
/// and nothing else. Belongs to the dataplane loop.
final class PeerEntries {

  private final Rtnetlink netlink;

  PeerEntries(Rtnetlink netlink) {
    this.netlink = netlink;
  }

  /// Which MAC address answers for each tunnel address.
  ///
  /// @param index the device
  void keepNeighbours(IpFamily family, int index, Wrapping wrapping) throws LinuxException {
    Map<IpAddress, MacAddress> wanted = new HashMap<>();
    for (Peer peer : wrapping.peers().values()) {
      wanted.putIfAbsent(peer.address(), peer.mac());
    }
    Set<IpAddress> right = new HashSet<>();
    for (Neighbour neighbour : netlink.neighbours().listPermanent(family)) {
      if (neighbour.index() != index) {
        continue;
      }
      MacAddress mac = wanted.get(neighbour.address());
      if (mac == null) {
        netlink.neighbours().delete(neighbour);
      } else if (mac.equals(neighbour.mac())) {
        right.add(neighbour.address());
      }
    }
    for (Map.Entry<IpAddress, MacAddress> entry : wanted.entrySet()) {
      if (!right.contains(entry.getKey())) {
        netlink.neighbours().replace(new Neighbour(index, entry.getKey(), entry.getValue()));
      }
    }
  }

  /// To which machine frames for each MAC address go.
  ///
  /// @param index the device
  void keepForwarding(int index, Wrapping wrapping) throws LinuxException {
    Map<MacAddress, ForwardingEntry> wanted = new HashMap<>();
    for (Peer peer : wrapping.peers().values()) {
      wanted.putIfAbsent(peer.mac(), ForwardingEntry.permanent(index, peer.mac(), peer.machine()));
    }
    List<ForwardingEntry> found = netlink.forwarding().list(index);
    Set<MacAddress> right = new HashSet<>();
    found.stream()
        .filter(entry -> entry.equals(wanted.get(entry.mac())))
        .forEach(entry -> right.add(entry.mac()));
    for (ForwardingEntry entry : found) {
      ForwardingEntry same = wanted.get(entry.mac());
      // A second machine for a MAC address beside the right one goes; a wrong one alone is
      // replaced.
      if (same == null || right.contains(entry.mac()) && !same.equals(entry)) {
        netlink.forwarding().delete(entry);
      }
    }
    for (ForwardingEntry entry : wanted.values()) {
      if (!right.contains(entry.mac())) {
        netlink.forwarding().replace(entry);
      }
    }
  }
}
