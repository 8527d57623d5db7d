package io.margay.ipam;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.resource.PoolUse;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.BiPredicate;

/// All pools and reservations, as the datastore has them now.
///
/// @param pools every IPPool
/// @param reservations every CIDR of every IPReservation; never assigned automatically
/// @param selects whether a pool's nodeSelector chooses a node (pool, node name)
/// @param selectsNamespace whether a pool's namespaceSelector chooses a namespace (pool, name);
///   asked only of pools that are not for every namespace
public record Pools(
    List<Pool> pools,
    List<Prefix> reservations,
    BiPredicate<Pool, String> selects,
    BiPredicate<Pool, String> selectsNamespace) {

  /// Pools named in a reason before the rest is counted only.
  private static final int MAX_NAMED = 8;

  public Pools {
    // Deterministic whatever order the watch delivered: by CIDR.
    pools = pools.stream().sorted(Comparator.comparing(Pool::cidr)).toList();
    reservations = List.copyOf(reservations);
  }

  /// Pools whose namespaceSelectors choose every namespace.
  public Pools(List<Pool> pools, List<Prefix> reservations, BiPredicate<Pool, String> selects) {
    this(pools, reservations, selects, (_, _) -> true);
  }

  public static Pools none() {
    return new Pools(List.of(), List.of(), (_, _) -> false);
  }

  /// These pools for every node, nothing reserved.
  public static Pools of(Pool... pools) {
    return new Pools(List.of(pools), List.of(), (_, _) -> true);
  }

  /// The same, each chosen by every namespace.
  Pools forAnyNamespace() {
    return new Pools(pools, reservations, selects, (_, _) -> true);
  }

  /// The pool of this name, or of this CIDR.
  public Optional<Pool> find(String nameOrCidr) {
    return pools.stream()
        .filter(pool -> pool.name().equals(nameOrCidr) || pool.cidr().toString().equals(nameOrCidr))
        .findFirst();
  }

  /// The pool around a block or address, whoever may use it. Where pools overlap, the one that
  /// addresses may be taken from.
  Optional<Pool> around(Prefix inner) {
    return pools.stream()
        .filter(pool -> pool.cidr().contains(inner))
        .min(Comparator.comparing(pool -> closed(pool).isPresent()));
  }

  /// Who asks for addresses.
  ///
  /// @param owner the node, or `virtual:<name>`
  /// @param namespace the pod's, if it is for a pod
  /// @param named the only pools to use, of both families; a family without one may use any
  record Asker(String owner, Optional<String> namespace, PoolUse use, List<Prefix> named) {

    List<Prefix> named(IpFamily family) {
      return named.stream().filter(cidr -> cidr.family() == family).toList();
    }
  }

  /// The pools of a family the asker may take addresses from, in address order. Named pools are
  /// used whatever their selectors and modes say, but must exist, be enabled and be served: if one
  /// does not, none is used.
  List<Pool> eligible(IpFamily family, Asker asker) {
    List<Prefix> named = asker.named(family);
    if (!named.isEmpty()) {
      List<Pool> chosen = pools.stream().filter(pool -> named.contains(pool.cidr())).toList();
      boolean allThere =
          chosen.size() == named.stream().distinct().count()
              && chosen.stream().allMatch(pool -> closed(pool).isEmpty());
      return allThere ? chosen : List.of();
    }
    return pools.stream()
        .filter(pool -> pool.family() == family && obstacle(pool, asker).isEmpty())
        .toList();
  }

  /// Why {@link #eligible} is empty: one reason a pool.
  String whyNone(IpFamily family, Asker asker) {
    List<Prefix> named = asker.named(family);
    List<String> reasons = new ArrayList<>();
    if (named.isEmpty()) {
      pools.stream()
          .filter(pool -> pool.family() == family)
          .forEach(pool -> reasons.add(pool.name() + " " + obstacle(pool, asker).orElse("")));
    } else {
      for (Prefix cidr : named) {
        Optional<Pool> pool = find(cidr.toString());
        pool.flatMap(Pools::closed).ifPresent(why -> reasons.add(pool.get().name() + " " + why));
        if (pool.isEmpty()) {
          reasons.add(cidr + " is no IPPool's cidr");
        }
      }
    }
    if (reasons.isEmpty()) {
      return "there is no IPv" + family.version() + " IPPool for " + asker.owner();
    }
    String listed = String.join("; ", reasons.subList(0, Math.min(MAX_NAMED, reasons.size())));
    return (named.isEmpty()
            ? "none of "
                + reasons.size()
                + " IPv"
                + family.version()
                + " pools may be used by "
                + asker.owner()
            : "the request names pools that can't be used")
        + ": "
        + listed
        + (reasons.size() > MAX_NAMED ? "; and " + (reasons.size() - MAX_NAMED) + " more" : "");
  }

  private Optional<String> obstacle(Pool pool, Asker asker) {
    Optional<String> closed = closed(pool);
    if (closed.isPresent()) {
      return closed;
    }
    if (!pool.automatic()) {
      return Optional.of("is for requests that name it (assignmentMode Manual)");
    }
    if (!pool.uses().contains(asker.use())) {
      return Optional.of("is not for this use (allowedUses)");
    }
    if (!selects.test(pool, asker.owner())) {
      return Optional.of("does not select the node (nodeSelector " + pool.nodeSelector() + ")");
    }
    if (!pool.isForEveryNamespace()
        && (asker.namespace().isEmpty() || !selectsNamespace.test(pool, asker.namespace().get()))) {
      return Optional.of(
          "does not select the namespace (namespaceSelector " + pool.namespaceSelector() + ")");
    }
    return Optional.empty();
  }

  /// Why nobody may take from a pool now.
  static Optional<String> closed(Pool pool) {
    if (pool.disabled()) {
      return Optional.of("is disabled");
    }
    return pool.notServed().map(why -> "is not served here: " + why);
  }

  /// Whether a node's block lies in a pool that is there and no longer selects the node.
  boolean isDeselected(String owner, Prefix block) {
    return around(block).map(pool -> !selects.test(pool, owner)).orElse(false);
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
