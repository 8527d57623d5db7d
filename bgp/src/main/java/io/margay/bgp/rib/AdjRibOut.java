package io.margay.bgp.rib;

import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What one peer should know and what it was told (RFC 4271 §3.2). Held as state with a set of
/// differences, not as a queue: a slow peer costs no more memory and gets the newest state only.
final class AdjRibOut {

  /// @param advertisement absent: withdraw
  record Change(Prefix prefix, @Nullable Advertisement advertisement) {}

  private final Map<Prefix, Advertisement> wanted = new HashMap<>();
  private final Map<Prefix, Advertisement> told = new HashMap<>();
  private final Set<Prefix> dirty = new LinkedHashSet<>();

  /// To be told although the peer was told the same before.
  private final Set<Prefix> again = new HashSet<>();

  void want(Prefix prefix, @Nullable Advertisement advertisement) {
    if (advertisement == null) {
      wanted.remove(prefix);
    } else {
      wanted.put(prefix, advertisement);
    }
    if (Optional.ofNullable(advertisement).equals(Optional.ofNullable(told.get(prefix)))
        && !again.contains(prefix)) {
      dirty.remove(prefix);
    } else {
      dirty.add(prefix);
    }
  }

  /// Tells everything of a family once more. What the peer holds is not forgotten meanwhile: a
  /// prefix that goes before its turn must still be withdrawn.
  void refresh(IpFamily family) {
    for (Prefix prefix : wanted.keySet()) {
      if (prefix.family() == family) {
        again.add(prefix);
        dirty.add(prefix);
      }
    }
  }

  /// The next differences, at most `limit`; they count as told from now on.
  List<Change> take(int limit) {
    List<Change> changes = new ArrayList<>(Math.min(limit, dirty.size()));
    Iterator<Prefix> next = dirty.iterator();
    while (next.hasNext() && changes.size() < limit) {
      Prefix prefix = next.next();
      next.remove();
      again.remove(prefix);
      Advertisement advertisement = wanted.get(prefix);
      if (advertisement == null) {
        told.remove(prefix);
      } else {
        told.put(prefix, advertisement);
      }
      changes.add(new Change(prefix, advertisement));
    }
    return changes;
  }

  /// The peer could not be told: it holds nothing for the prefix.
  void untold(Prefix prefix) {
    told.remove(prefix);
  }

  boolean isSettled() {
    return dirty.isEmpty();
  }

  Map<Prefix, Advertisement> told() {
    return Collections.unmodifiableMap(told);
  }

  int count(IpFamily family) {
    int count = 0;
    for (Prefix prefix : told.keySet()) {
      count += prefix.family() == family ? 1 : 0;
    }
    return count;
  }
}
