package io.margay.ipam;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.Comparator;
import java.util.List;
import java.util.function.BiPredicate;

/// All pools and reservations, as the datastore has them now.
///
/// @param pools every IPPool
/// @param reservations every CIDR of every IPReservation; never assigned automatically
/// @param selects whether a pool's nodeSelector chooses a node (pool, node name)
public record Pools(
    List<Pool> pools, List<Prefix> reservations, BiPredicate<Pool, String> selects) {

  public Pools {
    // Deterministic whatever order the watch delivered: by CIDR.
    pools = pools.stream().sorted(Comparator.comparing(Pool::cidr)).toList();
    reservations = List.copyOf(reservations);
  }

  public static Pools none() {
    return new Pools(List.of(), List.of(), (_, _) -> false);
  }

  /// These pools for every node, nothing reserved.
  public static Pools of(Pool... pools) {
    return new Pools(List.of(pools), List.of(), (_, _) -> true);
  }

  /// The pools a node may take workload addresses from. Named pools are used as given, whatever
  /// their selectors and modes say; a disabled pool never is.
  List<Pool> eligible(IpFamily family, String node, List<Prefix> named) {
    return pools.stream()
        .filter(pool -> pool.family() == family && !pool.disabled())
        .filter(
            pool ->
                named.isEmpty()
                    ? pool.automatic() && pool.forWorkloads() && selects.test(pool, node)
                    : named.contains(pool.cidr()))
        .toList();
  }

  boolean isReserved(IpAddress address) {
    for (Prefix reservation : reservations) {
      if (reservation.contains(address)) {
        return true;
      }
    }
    return false;
  }
}
