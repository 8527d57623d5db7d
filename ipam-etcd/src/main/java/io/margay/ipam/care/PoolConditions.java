package io.margay.ipam.care;

import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.model.resource.IPPool;
import io.margay.model.resource.Kind;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/// What each IPPool's `status.conditions` should say.
///
/// `Allocatable` is Calico's, with Calico's reasons: a Calico controller beside us comes to the
/// same ones, and as only status and reason are compared, nobody writes over the other for a
/// wording. That we don't wrap packets is no business of Calico's nodes, whose allocators obey
/// `Allocatable`: it is a condition of its own, `AllocatableByMargay`.
public final class PoolConditions {

  /// Calico's condition: whether anybody may take addresses from the pool.
  public static final String ALLOCATABLE = "Allocatable";

  /// Ours: whether agents like this one do.
  public static final String ALLOCATABLE_BY_MARGAY = "AllocatableByMargay";

  /// Calico's reason of a pool whose document says so itself.
  public static final String DISABLED = "PoolDisabled";

  /// One condition.
  ///
  /// @param status `True` or `False`
  /// @param reason one word
  public record Condition(String type, boolean status, String reason, String message) {}

  private PoolConditions() {}

  /// What should be said of each pool, by name.
  ///
  /// @param pools all there are
  public static Map<String, List<Condition>> of(List<IPPool> pools) {
    Map<String, List<Condition>> conditions = new TreeMap<>();
    List<IPPool> serving = new ArrayList<>();
    for (IPPool pool : pools.stream().sorted(seniority()).toList()) {
      List<Condition> said = new ArrayList<>();
      said.add(allocatable(pool, serving));
      if (pool.spec().isWrappedInIp()) {
        said.add(
            new Condition(
                ALLOCATABLE_BY_MARGAY,
                false,
                "EncapsulationUnsupported",
                "ipipMode asks for packets to be wrapped in IP, which Margay's nodes don't do;"
                    + " they take no address from this pool. vxlanMode they do."));
      }
      conditions.put(pool.metadata().name(), List.copyOf(said));
    }
    return conditions;
  }

  private static Condition allocatable(IPPool pool, List<IPPool> serving) {
    if (pool.spec().isDisabled()) {
      return new Condition(ALLOCATABLE, false, DISABLED, "spec.disabled is true.");
    }
    if (isTerminating(pool)) {
      // Until it is gone, nobody else may have its addresses.
      serving.add(pool);
      return new Condition(ALLOCATABLE, false, "Terminating", "The pool is being deleted.");
    }
    for (IPPool other : serving) {
      if (other.spec().cidr().overlaps(pool.spec().cidr())) {
        return new Condition(
            ALLOCATABLE,
            false,
            "CIDROverlap",
            pool.spec().cidr()
                + " overlaps "
                + other.spec().cidr()
                + " of IPPool "
                + other.metadata().name()
                + ", which was first.");
      }
    }
    serving.add(pool);
    return new Condition(ALLOCATABLE, true, "OK", "Addresses may be taken from the pool.");
  }

  /// Who serves already goes on serving; then whoever is going; then the older.
  private static Comparator<IPPool> seniority() {
    return Comparator.comparingInt(PoolConditions::rank)
        .thenComparing(
            pool -> Objects.requireNonNullElse(pool.metadata().creationTimestamp(), Instant.MAX))
        .thenComparing(pool -> pool.metadata().name());
  }

  private static int rank(IPPool pool) {
    if (isTerminating(pool)) {
      return 1;
    }
    Optional<Map<?, ?>> said = condition(pool, ALLOCATABLE);
    return said.isEmpty() ? 3 : "True".equals(said.get().get("status")) ? 0 : 2;
  }

  private static boolean isTerminating(IPPool pool) {
    return pool.metadata().unknown().get("deletionTimestamp") != null;
  }

  private static Optional<Map<?, ?>> condition(IPPool pool, String type) {
    if (pool.status().get("conditions") instanceof List<?> conditions) {
      for (Object item : conditions) {
        if (item instanceof Map<?, ?> condition && type.equals(condition.get("type"))) {
          return Optional.of(condition);
        }
      }
    }
    return Optional.empty();
  }

  /// The pool with what should be said; empty when it says so already, in whatever words.
  public static Optional<IPPool> updated(IPPool pool, List<Condition> wanted, Instant now) {
    List<Object> conditions = new ArrayList<>();
    boolean isDifferent = false;
    Map<String, Condition> missing = new LinkedHashMap<>();
    wanted.forEach(condition -> missing.put(condition.type(), condition));
    if (pool.status().get("conditions") instanceof List<?> said) {
      for (Object item : said) {
        if (!(item instanceof Map<?, ?> condition)) {
          conditions.add(item);
          continue;
        }
        Condition should = missing.remove(String.valueOf(condition.get("type")));
        if (should == null && ALLOCATABLE_BY_MARGAY.equals(condition.get("type"))) {
          isDifferent = true;
        } else if (should == null || means(condition, should)) {
          conditions.add(item);
        } else {
          conditions.add(document(should, transition(condition, should, now)));
          isDifferent = true;
        }
      }
    }
    for (Condition condition : missing.values()) {
      conditions.add(document(condition, now));
      isDifferent = true;
    }
    if (!isDifferent) {
      return Optional.empty();
    }
    Map<String, Object> status = new LinkedHashMap<>(pool.status());
    status.put("conditions", conditions);
    return Optional.of(new IPPool(pool.metadata(), pool.spec(), status, pool.unknown()));
  }

  private static boolean means(Map<?, ?> said, Condition should) {
    return status(should).equals(said.get("status")) && should.reason().equals(said.get("reason"));
  }

  private static Instant transition(Map<?, ?> said, Condition should, Instant now) {
    if (status(should).equals(said.get("status"))
        && said.get("lastTransitionTime") instanceof String text) {
      try {
        return Instant.parse(text);
      } catch (DateTimeException unreadable) {
        return now;
      }
    }
    return now;
  }

  private static String status(Condition condition) {
    return condition.status() ? "True" : "False";
  }

  private static Map<String, Object> document(Condition condition, Instant transition) {
    Map<String, Object> document = new LinkedHashMap<>();
    document.put("type", condition.type());
    document.put("status", status(condition));
    document.put("lastTransitionTime", transition.truncatedTo(ChronoUnit.SECONDS).toString());
    document.put("reason", condition.reason());
    document.put("message", condition.message());
    return document;
  }

  /// Writes what is not said yet, each pool by itself. Whoever writes at the same time wins; the
  /// next call sees what is left to do.
  ///
  /// @return how many pools were written
  public static int write(Datastore datastore, Instant now) throws DatastoreException {
    List<IPPool> pools = new ArrayList<>();
    Map<String, KeyValue> documents = new LinkedHashMap<>();
    for (KeyValue item : datastore.list(ResourceKeys.prefix(Kind.IP_POOL)).items()) {
      if (ResourceJson.decode(item.key(), item.value(), item.modRevision()).orElse(null)
          instanceof Decoded.Valid(IPPool pool)) {
        pools.add(pool);
        documents.put(pool.metadata().name(), item);
      }
    }
    Map<String, List<Condition>> wanted = of(pools);
    int written = 0;
    for (IPPool pool : pools) {
      String name = pool.metadata().name();
      Optional<IPPool> next = updated(pool, wanted.getOrDefault(name, List.of()), now);
      KeyValue before = documents.get(name);
      if (next.isPresent() && before != null) {
        Txn txn = Txn.replace(before, ResourceJson.encode(next.get()));
        written += datastore.commit(txn) instanceof CommitResult.Committed ? 1 : 0;
      }
    }
    return written;
  }
}
