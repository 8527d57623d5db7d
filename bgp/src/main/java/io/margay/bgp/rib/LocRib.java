package io.margay.bgp.rib;

import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The eligible paths of every prefix and what was decided (RFC 4271 §9.1).
///
/// Paths change at once; decisions only in {@link #decide}, so that many changes to a prefix cost
/// one decision.
final class LocRib {

  private static final class Entry {
    final List<Path> paths = new ArrayList<>(2);
    @Nullable Decision decision;
  }

  private final DecisionProcess process;
  private final Map<Prefix, Entry> entries = new HashMap<>();

  LocRib(DecisionProcess process) {
    this.process = process;
  }

  /// Puts our own path, or takes it away.
  void setLocal(Prefix prefix, Path.@Nullable Local path) {
    replace(prefix, path, old -> old instanceof Path.Local);
  }

  /// Puts the path of a peer, or takes it away.
  void setLearned(Prefix prefix, IpAddress peer, Path.@Nullable Learned path) {
    replace(
        prefix,
        path,
        old -> old instanceof Path.Learned learned && learned.from().address().equals(peer));
  }

  private interface Matcher {
    boolean matches(Path path);
  }

  private void replace(Prefix prefix, @Nullable Path path, Matcher matcher) {
    Entry entry = entries.get(prefix);
    if (entry == null) {
      if (path == null) {
        return;
      }
      entry = new Entry();
      entries.put(prefix, entry);
    }
    entry.paths.removeIf(matcher::matches);
    if (path != null) {
      entry.paths.add(path);
    }
  }

  /// Decides anew. Empty when nothing changed.
  Optional<RibDelta> decide(Prefix prefix) {
    Entry entry = entries.get(prefix);
    if (entry == null) {
      return Optional.empty();
    }
    Decision before = entry.decision;
    Decision after = entry.paths.isEmpty() ? null : process.decide(entry.paths);
    entry.decision = after;
    if (after == null) {
      entries.remove(prefix);
      return before == null ? Optional.empty() : Optional.of(new RibDelta(prefix, before, null));
    }
    return after.equals(before)
        ? Optional.empty()
        : Optional.of(new RibDelta(prefix, before, after));
  }

  Optional<Decision> decision(Prefix prefix) {
    Entry entry = entries.get(prefix);
    return entry == null ? Optional.empty() : Optional.ofNullable(entry.decision);
  }

  interface DecisionVisitor {
    void visit(Prefix prefix, Decision decision);
  }

  void forEachDecision(DecisionVisitor visitor) {
    entries.forEach(
        (prefix, entry) -> {
          if (entry.decision != null) {
            visitor.visit(prefix, entry.decision);
          }
        });
  }
}
