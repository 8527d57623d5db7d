package io.margay.agent.overlay;

import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.AssignRequest;
import io.margay.ipam.AssignResult;
import io.margay.ipam.AssignTerms;
import io.margay.ipam.Assignment;
import io.margay.ipam.Ipam;
import io.margay.ipam.ReleaseResult;
import io.margay.ipam.SameTxn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Node;
import io.margay.model.resource.NodeSpec;
import io.margay.model.resource.PoolUse;
import io.margay.model.resource.ResourceRef;
import java.time.Duration;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Sees to it that this node has an address for its tunnel device where a pool's packets are
/// wrapped, and none where not: in IPAM under Calico's handle and attributes, and in the Node
/// resource, where all nodes read it. Both are written in one transaction.
///
/// What follows from it comes back by the datastore: the plan is made of Node resources alone.
public final class TunnelAddressKeeper implements AutoCloseable {

  /// How soon a round that did not succeed is repeated.
  static final Duration RETRY = Duration.ofSeconds(5);

  /// Rounds without a wish that changed, as Calico has them: what was missed is made up for.
  static final Duration RECHECK = Duration.ofMinutes(5);

  /// How often a round begins anew because somebody else wrote the Node.
  static final int MAX_ATTEMPTS = 5;

  private static final Logger LOG = LoggerFactory.getLogger(TunnelAddressKeeper.class);

  private final String nodeName;
  private final String nodeKey;
  private final Datastore datastore;
  private final Ipam ipam;
  private final ScheduledThreadPoolExecutor thread;
  private volatile BooleanSupplier mayWrite = () -> false;
  private volatile Map<IpFamily, Wish> wishes = Map.of();
  private @Nullable Future<?> next;
  private String problem = "";
  private final Set<IpFamily> released = EnumSet.noneOf(IpFamily.class);

  /// What a family needs.
  ///
  /// @param pools every pool whose packets are wrapped; none: no address is needed
  /// @param open those of them that an address may be taken from now
  /// @param present what the Node resource says, so that a change of it is another wish
  public record Wish(List<Prefix> pools, List<Prefix> open, Optional<IpAddress> present) {
    public Wish {
      pools = List.copyOf(pools);
      open = List.copyOf(open);
    }

    boolean isIn(IpAddress address) {
      return pools.stream().anyMatch(pool -> pool.contains(address));
    }
  }

  /// Does nothing before [#start].
  public TunnelAddressKeeper(String nodeName, Datastore datastore, Ipam ipam) {
    this.nodeName = nodeName;
    this.nodeKey = ResourceKeys.key(ResourceRef.global(Kind.NODE, nodeName));
    this.datastore = datastore;
    this.ipam = ipam;
    this.thread =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("tunnel-address").factory());
    thread.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    thread.setRemoveOnCancelPolicy(true);
  }

  /// Starts the rounds.
  ///
  /// @param isSettled whether the datastore's present word is known and no migration holds it
  public void start(BooleanSupplier isSettled) {
    mayWrite = isSettled;
    turnNow();
  }

  /// Takes the whole wish. From any thread; never blocks.
  public void want(Map<IpFamily, Wish> wanted) {
    if (!wanted.equals(wishes)) {
      wishes = Map.copyOf(wanted);
      turnNow();
    }
  }

  private void turnNow() {
    try {
      thread.execute(this::turn);
    } catch (RejectedExecutionException closed) {
      // The next start finds what is left to do.
    }
  }

  /// A round, after which the next one is due by how it went. On the thread.
  private void turn() {
    if (next != null) {
      next.cancel(false);
    }
    Duration pause = round() ? RECHECK : RETRY;
    try {
      next = thread.schedule(this::turn, pause.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException closed) {
      // As above.
    }
  }

  /// @return whether nothing is left to do
  boolean round() {
    Map<IpFamily, Wish> now = wishes;
    return now.isEmpty() || mayWrite.getAsBoolean() && settle(now);
  }

  /// @return whether all is as wished
  boolean settle(Map<IpFamily, Wish> wanted) {
    try {
      for (Map.Entry<IpFamily, Wish> wish : wanted.entrySet()) {
        Optional<String> missing = settle(wish.getKey(), wish.getValue());
        if (missing.isPresent()) {
          tell(missing.get());
          return false;
        }
      }
      problem = "";
      return true;
    } catch (DatastoreException away) {
      tell(String.valueOf(away.getMessage()));
      return false;
    }
  }

  private void tell(String why) {
    if (!why.equals(problem)) {
      problem = why;
      LOG.atWarn()
          .addKeyValue("node", nodeName)
          .addKeyValue("reason", why)
          .addKeyValue("retrySeconds", RETRY.toSeconds())
          .log("the address of the tunnel device is not as it should be; trying again");
    }
  }

  private Optional<String> settle(IpFamily family, Wish wish) throws DatastoreException {
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      Optional<KeyValue> stored = datastore.get(nodeKey);
      if (!(stored.flatMap(TunnelAddressKeeper::decoded).orElse(null) instanceof Node node)) {
        return wish.pools().isEmpty()
            ? Optional.empty()
            : Optional.of(
                "there is no readable Node "
                    + nodeName
                    + " in the datastore to note it in; make one with spec.bgp.ipv"
                    + family.version()
                    + "Address");
      }
      Step step =
          wish.pools().isEmpty()
              ? release(family, node, stored.get())
              : assign(family, wish, node, stored.get());
      switch (step) {
        case Step.Done() -> {
          return Optional.empty();
        }
        case Step.Missing(String why) -> {
          return Optional.of(why);
        }
        case Step.Again() -> {}
      }
    }
    return Optional.of("Node " + nodeName + " is written by others all the time");
  }

  /// How one attempt ended.
  private sealed interface Step {
    record Done() implements Step {}

    record Missing(String why) implements Step {}

    /// Somebody else wrote first, or what was in the way is gone now.
    record Again() implements Step {}
  }

  private static Optional<Object> decoded(KeyValue item) {
    return ResourceJson.decode(item.key(), item.value(), item.modRevision())
        .map(decoded -> decoded instanceof Decoded.Valid valid ? valid.resource() : null);
  }

  private Step release(IpFamily family, Node node, KeyValue stored) throws DatastoreException {
    SameTxn.Extras extras =
        addressOf(node.spec(), family) == null
            ? SameTxn.Extras.NONE
            : note(node, stored, family, null);
    // A process that died between wishes may have left one; after that only we take any.
    if (extras.writes().isEmpty() && released.contains(family)) {
      return new Step.Done();
    }
    return switch (ipam.releaseByHandle(handle(nodeName, family), extras)) {
      case ReleaseResult.Released _ -> {
        released.add(family);
        yield new Step.Done();
      }
      case ReleaseResult.ExtraConflict _ -> new Step.Again();
      case ReleaseResult.Refused(IpAddress address, String reason) ->
          new Step.Missing(address + " can't be released: " + reason);
    };
  }

  private Step assign(IpFamily family, Wish wish, Node node, KeyValue stored)
      throws DatastoreException {
    released.remove(family);
    IpAddress present = addressOf(node.spec(), family);
    if (wish.open().isEmpty()) {
      return present != null && wish.isIn(present)
          ? new Step.Done()
          : new Step.Missing(
              "none of the wrapped IPv"
                  + family.version()
                  + " pools is enabled, allows the use Tunnel and selects the node");
    }
    AssignResult result =
        ipam.assign(
            new AssignRequest(
                    handle(nodeName, family),
                    nodeName,
                    family == IpFamily.IPV4 ? 1 : 0,
                    family == IpFamily.IPV6 ? 1 : 0,
                    Map.of("node", nodeName, "type", type(family)),
                    wish.open(),
                    held -> noteOf(held, wish, node, stored, family))
                .with(AssignTerms.of(PoolUse.TUNNEL)));
    return switch (result) {
      case AssignResult.Assigned(List<Assignment> held, long _) -> {
        Optional<IpAddress> chosen = choose(held, wish, present);
        if (chosen.isPresent()) {
          if (!chosen.get().equals(present)) {
            LOG.atInfo()
                .addKeyValue("node", nodeName)
                .addKeyValue("address", chosen.get())
                .log("the tunnel device has another address");
          }
          yield new Step.Done();
        }
        // What it holds is of a pool that is gone, or whose packets are wrapped no more.
        ipam.releaseByHandle(handle(nodeName, family), SameTxn.Extras.NONE);
        yield new Step.Again();
      }
      case AssignResult.ExtraConflict _ -> new Step.Again();
      case AssignResult.NoPool(IpFamily _, String reason) -> new Step.Missing(reason);
      case AssignResult.PoolExhausted(IpFamily _, String reason) -> new Step.Missing(reason);
      case AssignResult.BlockLimit(IpFamily _, int limit) ->
          new Step.Missing("the node's " + limit + " blocks are full, and it may have no more");
      case AssignResult.Unavailable(IpAddress address, String reason) ->
          new Step.Missing(address + ": " + reason);
    };
  }

  /// Of several, which only a fault can bring about, the one that others know.
  private static Optional<IpAddress> choose(
      Collection<Assignment> held, Wish wish, @Nullable IpAddress present) {
    List<IpAddress> fit = held.stream().map(Assignment::address).filter(wish::isIn).toList();
    return present != null && fit.contains(present)
        ? Optional.of(present)
        : fit.stream().findFirst();
  }

  private SameTxn.Extras noteOf(
      List<Assignment> held, Wish wish, Node node, KeyValue stored, IpFamily family) {
    IpAddress present = addressOf(node.spec(), family);
    Optional<IpAddress> chosen = choose(held, wish, present);
    return chosen.isEmpty() || chosen.get().equals(present)
        ? SameTxn.Extras.NONE
        : note(node, stored, family, chosen.get());
  }

  private SameTxn.Extras note(
      Node node, KeyValue stored, IpFamily family, @Nullable IpAddress address) {
    Node noted = node.withSpec(with(node.spec(), family, address));
    return new SameTxn.Extras(
        List.of(new Txn.Condition.AtRevision(nodeKey, stored.modRevision())),
        List.of(new Txn.Write.Put(nodeKey, ResourceJson.encode(noted))));
  }

  private static @Nullable IpAddress addressOf(NodeSpec spec, IpFamily family) {
    return switch (family) {
      case IPV4 -> spec.ipv4VXLANTunnelAddr();
      case IPV6 -> spec.ipv6VXLANTunnelAddr();
    };
  }

  private static NodeSpec with(NodeSpec spec, IpFamily family, @Nullable IpAddress address) {
    return new NodeSpec(
        spec.bgp(),
        family == IpFamily.IPV4 ? address : spec.ipv4VXLANTunnelAddr(),
        family == IpFamily.IPV6 ? address : spec.ipv6VXLANTunnelAddr(),
        spec.vxlanTunnelMACAddr(),
        spec.vxlanTunnelMACAddrV6(),
        spec.wireguard(),
        spec.addresses(),
        spec.interfaces(),
        spec.orchRefs(),
        spec.unknown());
  }

  /// Calico's handle of a node's tunnel address.
  static String handle(String nodeName, IpFamily family) {
    return switch (family) {
      case IPV4 -> "vxlan-tunnel-addr-" + nodeName;
      case IPV6 -> "vxlan-v6-tunnel-addr-" + nodeName;
    };
  }

  private static String type(IpFamily family) {
    return switch (family) {
      case IPV4 -> "vxlanTunnelAddress";
      case IPV6 -> "vxlanV6TunnelAddress";
    };
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
