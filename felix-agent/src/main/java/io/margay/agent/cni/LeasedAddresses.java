package io.margay.agent.cni;

import io.margay.cni.PodAddresses;
import io.margay.cni.PodAddresses.Lease;
import io.margay.cni.journal.Attachment;
import io.margay.cni.spec.CniException;
import io.margay.datastore.DatastoreException;
import io.margay.ipam.AssignIpRequest;
import io.margay.ipam.AssignRequest;
import io.margay.ipam.AssignResult;
import io.margay.ipam.Assignment;
import io.margay.ipam.Block;
import io.margay.ipam.Ipam;
import io.margay.ipam.SameTxn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Addresses for other plugins' interfaces, on wires that several pods share: with a prefix, a
/// gateway, and a first and last address that are nobody's.
final class LeasedAddresses {

  /// How many addresses of a pool no pod on a shared wire can have: the first and the last.
  private static final int MAX_UNUSABLE = 2;

  private final String node;
  private final Ipam ipam;
  private final WishAssigner wishes;

  LeasedAddresses(String node, Ipam ipam, WishAssigner wishes) {
    this.node = node;
    this.ipam = ipam;
    this.wishes = wishes;
  }

  List<Lease> lease(Attachment attachment, PodAddresses.Wish wish, List<IpAddress> gateways)
      throws CniException, DatastoreException {
    Map<String, String> attributes = wishes.attributes(attachment);
    attributes.put(Block.Attribute.ROLE, Block.Attribute.ROLE_IPAM);
    for (IpAddress gateway : gateways) {
      keepFromPods(attachment, gateway);
    }
    List<IpAddress> usable = List.of();
    for (int count = 1; count <= MAX_UNUSABLE + 1; count++) {
      usable =
          AddressErrors.requireAssigned(
                  node,
                  attachment,
                  wishes.assign(attachment, wish, count, attributes, SameTxn.nothing()))
              .assignments()
              .stream()
              .map(Assignment::address)
              .filter(address -> !isEdge(address))
              .toList();
      if (hasAll(usable, wish)) {
        break;
      }
    }
    List<Lease> leases = new ArrayList<>();
    for (IpAddress address : usable) {
      Prefix pool = ipam.poolAround(address).orElseGet(address::toHostPrefix);
      leases.add(new Lease(address, pool, gateway(attachment, pool, gateways)));
    }
    return leases;
  }

  private static boolean hasAll(List<IpAddress> usable, PodAddresses.Wish wish) {
    return wish.families().stream()
        .allMatch(family -> usable.stream().anyMatch(address -> address.family() == family));
  }

  /// On a wire that others share, the first and last address of a subnet are not a pod's.
  private boolean isEdge(IpAddress address) {
    Optional<Prefix> pool = ipam.poolAround(address);
    return pool.isPresent()
        && pool.get().length() < address.family().bits() - 1
        && (address.equals(pool.get().address())
            || address.family() == IpFamily.IPV4 && address.equals(pool.get().lastAddress()));
  }

  /// The gateway of a pool: one that the configuration names, else an address that is held for this
  /// and is the same on every node.
  private IpAddress gateway(Attachment attachment, Prefix pool, List<IpAddress> named)
      throws DatastoreException, CniException {
    for (IpAddress gateway : named) {
      if (pool.contains(gateway)) {
        return gateway;
      }
    }
    for (int count = 1; ; count++) {
      AssignResult.Assigned assigned =
          AddressErrors.requireAssigned(
              node,
              attachment,
              ipam.assign(
                  new AssignRequest(
                      gatewayHandle(pool),
                      node,
                      pool.family() == IpFamily.IPV4 ? count : 0,
                      pool.family() == IpFamily.IPV6 ? count : 0,
                      gatewayAttributes(),
                      List.of(pool),
                      SameTxn.nothing())));
      for (Assignment assignment : assigned.assignments()) {
        if (!isEdge(assignment.address()) || count > MAX_UNUSABLE) {
          return assignment.address();
        }
      }
    }
  }

  /// An address outside every pool is nobody's to keep.
  private void keepFromPods(Attachment attachment, IpAddress gateway)
      throws DatastoreException, CniException {
    Optional<Prefix> pool = ipam.poolAround(gateway);
    if (pool.isPresent()) {
      AssignResult result =
          ipam.assignIp(
              new AssignIpRequest(
                  gateway,
                  gatewayHandle(pool.get()),
                  node,
                  gatewayAttributes(),
                  SameTxn.nothing()));
      AddressErrors.requireAssigned(node, attachment, result);
    }
  }

  private static String gatewayHandle(Prefix pool) {
    return "margay-gateway." + pool.toString().replace('/', '-');
  }

  /// A type that address care knows nothing of, and so never frees; and no node, with whose end it
  /// would go: it is every node's.
  private static Map<String, String> gatewayAttributes() {
    return Map.of("type", "margayGateway");
  }
}
