package io.margay.agent.cni;

import io.margay.bgp.speaker.SpeakerConfig;
import io.margay.cni.PodAddresses.Wish;
import io.margay.cni.Readiness;
import io.margay.cni.spec.CniError;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.SyncStatus;
import io.margay.ipam.AddressReserve;
import io.margay.ipam.AssignRequest;
import io.margay.ipam.AssignResult;
import io.margay.ipam.Ipam;
import io.margay.ipam.SameTxn;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// What STATUS answers on this node. 50: an ADD would fail now. 51: and pods that exist may be cut
/// off from other nodes, since no BGP peer has had a session for longer than peers keep the routes
/// of a node that restarts.
public final class NodeReadiness implements Readiness {

  /// How long a "no" of IPAM is believed, and the datastore's silence: finding it out again may
  /// list every block there is, or wait.
  static final Duration BELIEVED = Duration.ofSeconds(5);

  /// How long a runtime waits for a datastore that says nothing, before the reserve decides.
  static final Duration PATIENCE = Duration.ofSeconds(1);

  /// How long without any BGP session is no trouble.
  static final Duration ISOLATION_LIMIT = SpeakerConfig.Restart.DEFAULT_TIME;

  /// Under which a probe asks; nobody holds anything by it.
  private static final String HANDLE = "margay-status";

  private final String node;
  private final Supplier<SyncStatus> sync;
  private final BooleanSupplier datastoreReady;
  private final Ipam ipam;
  private final Optional<AddressReserve> reserve;
  private final Function<String, Optional<Prefix>> poolByName;
  private final Supplier<Optional<Instant>> isolatedSince;
  private final InstantSource steady;
  private volatile Optional<Refusal> refusal = Optional.empty();

  private volatile Optional<Silence> silence = Optional.empty();

  private record Silence(String reason, Instant until) {}

  private record Refusal(Wish wish, String reason, Instant until) {}

  /// @param poolByName the CIDR of an IPPool by its name
  /// @param isolatedSince since when no BGP peer has a session, by `steady`; empty if one has or
  ///   there is none
  /// @param steady a clock that nobody sets
  public NodeReadiness(
      String node,
      Supplier<SyncStatus> sync,
      BooleanSupplier datastoreReady,
      Ipam ipam,
      Optional<AddressReserve> reserve,
      Function<String, Optional<Prefix>> poolByName,
      Supplier<Optional<Instant>> isolatedSince,
      InstantSource steady) {
    this.node = node;
    this.sync = sync;
    this.datastoreReady = datastoreReady;
    this.ipam = ipam;
    this.reserve = reserve;
    this.poolByName = poolByName;
    this.isolatedSince = isolatedSince;
    this.steady = steady;
  }

  @Override
  public Optional<CniError> trouble(Source source, Wish wish) {
    Optional<String> reason = whyNot(source, wish);
    Optional<Instant> isolated =
        isolatedSince.get().filter(since -> steady.instant().isAfter(since.plus(ISOLATION_LIMIT)));
    if (isolated.isPresent()) {
      String alone =
          "no BGP peer of node "
              + node
              + " has a session since "
              + isolated.get()
              + ", so its pods may be cut off; see margay node status";
      return Optional.of(
          new CniError(
              CniError.NOT_READY_AND_DEGRADED,
              reason.map(why -> why + "; " + alone).orElse(alone)));
    }
    return reason.map(why -> new CniError(CniError.NOT_READY, why));
  }

  private Optional<String> whyNot(Source source, Wish wish) {
    if (source != Source.FOREIGN && wish.families().isEmpty()) {
      return Optional.of("keys ipam.assign_ipv4 and ipam.assign_ipv6 are both false");
    }
    return switch (sync.get()) {
      case SyncStatus.Waiting(String reason) -> Optional.of("waiting for the datastore: " + reason);
      case SyncStatus.InSync _, SyncStatus.Stale _ when !datastoreReady.getAsBoolean() ->
          Optional.of("the datastore is locked for a migration; margay datastore unlock ends that");
      case SyncStatus.InSync _ ->
          source == Source.FOREIGN ? Optional.empty() : whyNoAddress(source, wish);
      case SyncStatus.Stale(Instant since, String reason) ->
          without(source, wish, "the datastore is away since " + since + ": " + reason);
    };
  }

  /// While the datastore is away.
  private Optional<String> without(Source source, Wish wish, String away) {
    if (source != Source.OURS || reserve.isEmpty()) {
      return Optional.of(away);
    }
    return reserve.get().whyNone(wish.families(), pools(wish)).map(usedUp -> usedUp + "; " + away);
  }

  private Optional<String> whyNoAddress(Source source, Wish wish) {
    Optional<Refusal> known =
        refusal.filter(last -> last.wish().equals(wish) && steady.instant().isBefore(last.until()));
    if (known.isPresent()) {
      return Optional.of(known.get().reason());
    }
    Optional<String> unknown = unknownPool(wish);
    if (unknown.isPresent()) {
      return unknown;
    }
    Optional<Silence> silent = silence.filter(last -> steady.instant().isBefore(last.until()));
    if (silent.isPresent()) {
      return without(source, wish, silent.get().reason());
    }
    Optional<String> reason;
    try {
      reason = refusalOf(ipam.probe(request(wish), PATIENCE));
    } catch (DatastoreException away) {
      String why = "the datastore is away: " + away.getMessage();
      silence = Optional.of(new Silence(why, steady.instant().plus(BELIEVED)));
      return without(source, wish, why);
    }
    refusal = reason.map(why -> new Refusal(wish, why, steady.instant().plus(BELIEVED)));
    return reason;
  }

  private AssignRequest request(Wish wish) {
    return new AssignRequest(
        HANDLE,
        node,
        wish.families().contains(IpFamily.IPV4) ? 1 : 0,
        wish.families().contains(IpFamily.IPV6) ? 1 : 0,
        Map.of(),
        pools(wish),
        SameTxn.nothing());
  }

  private static Optional<String> refusalOf(AssignResult result) {
    return switch (result) {
      case AssignResult.Assigned _ -> Optional.empty();
      case AssignResult.NoPool(IpFamily _, String reason) -> Optional.of(reason);
      case AssignResult.PoolExhausted(IpFamily _, String reason) -> Optional.of(reason);
      case AssignResult.BlockLimit(IpFamily family, int limit) ->
          Optional.of(
              "the node owns "
                  + limit
                  + " "
                  + family
                  + " blocks, its limit, and all are full; see margay ipam show");
      case AssignResult.Unavailable _, AssignResult.ExtraConflict _ ->
          throw new IllegalStateException("a probe names no address and writes nothing: " + result);
    };
  }

  private Optional<String> unknownPool(Wish wish) {
    return named(wish)
        .filter(text -> pool(text).isEmpty())
        .map(text -> "there is no IPPool \"" + text + "\"; see margay get ippools")
        .findFirst();
  }

  private List<Prefix> pools(Wish wish) {
    List<Prefix> pools = new ArrayList<>();
    named(wish).forEach(text -> pool(text).ifPresent(pools::add));
    return pools;
  }

  private static Stream<String> named(Wish wish) {
    return Stream.concat(wish.ipv4Pools().stream(), wish.ipv6Pools().stream());
  }

  private Optional<Prefix> pool(String text) {
    Optional<Prefix> named = poolByName.apply(text);
    if (named.isPresent()) {
      return named;
    }
    try {
      return Optional.of(Prefix.parse(text));
    } catch (IllegalArgumentException notCidr) {
      return Optional.empty();
    }
  }
}
