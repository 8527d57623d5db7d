package io.margay.ipam;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/// What an IPPool's `status.conditions` says about assignment by us. A type of our own: Calico's
/// nodes obey `Allocatable`, and a pool we can't serve is theirs to use.
///
/// @param status whether addresses may be taken
/// @param reason one word for programs
/// @param message a sentence for people
public record PoolCondition(boolean status, String reason, String message) {

  /// The condition's type.
  public static final String TYPE = "MargayAllocatable";

  private static final String CONDITIONS = "conditions";
  private static final String TRANSITION = "lastTransitionTime";

  /// What holds for a pool.
  public static PoolCondition of(Pool pool) {
    Optional<String> notServed = pool.notServed();
    if (notServed.isPresent()) {
      return new PoolCondition(
          false,
          "EncapsulationNotServed",
          "nothing is assigned from this pool by Margay: " + notServed.get());
    }
    return pool.disabled()
        ? new PoolCondition(false, "PoolDisabled", "spec.disabled is true")
        : new PoolCondition(true, "OK", "addresses may be assigned from this pool");
  }

  /// An IPPool's status with this condition in it; all else stays, and so does the time of the last
  /// transition if the answer is the same.
  ///
  /// @param before the status as read
  public Map<String, Object> in(Map<String, Object> before, Instant now) {
    List<Object> conditions = new ArrayList<>();
    Object since = now.truncatedTo(ChronoUnit.SECONDS).toString();
    if (before.get(CONDITIONS) instanceof List<?> known) {
      for (Object condition : known) {
        if (condition instanceof Map<?, ?> fields && TYPE.equals(fields.get("type"))) {
          if (Objects.equals(fields.get("status"), statusText())
              && fields.get(TRANSITION) instanceof String unchanged) {
            since = unchanged;
          }
        } else {
          conditions.add(condition);
        }
      }
    }
    Map<String, Object> mine = new LinkedHashMap<>();
    mine.put("type", TYPE);
    mine.put("status", statusText());
    mine.put("reason", reason);
    mine.put("message", message);
    mine.put(TRANSITION, since);
    conditions.add(mine);
    Map<String, Object> after = new LinkedHashMap<>(before);
    after.put(CONDITIONS, conditions);
    return after;
  }

  private String statusText() {
    return status ? "True" : "False";
  }
}
