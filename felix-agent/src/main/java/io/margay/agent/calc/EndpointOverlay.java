package io.margay.agent.calc;

import io.margay.model.resource.ResourceRef;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Which version of a local endpoint counts while the watch lags behind what this agent itself did.
///
/// The agent hands an endpoint to the calculation before the store has told of it, and takes it
/// away before the store has forgotten it. Until the watch has caught up, what it says of that
/// endpoint is older than what is known already and must not undo it.
public final class EndpointOverlay {

  /// Removals the watch may never mention (the endpoint was not in the store) are forgotten, oldest
  /// first, beyond this many.
  static final int MAX_PENDING = 4_096;

  private static final long UNTIL_DELETED = Long.MAX_VALUE;
  private static final long UNTIL_STORED = -1;

  /// What this agent did.
  ///
  /// @param revision of its commit, or one of the two above
  /// @param container whose endpoint has to come, with `UNTIL_STORED`
  private record Ahead(long revision, String container) {}

  private final Map<ResourceRef, Ahead> ahead =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<ResourceRef, Ahead> eldest) {
          return size() > MAX_PENDING;
        }
      };

  /// This agent has committed the endpoint at `revision`.
  public void onOwnPut(ResourceRef endpoint, long revision) {
    ahead.put(endpoint, new Ahead(revision, ""));
  }

  /// The store is another, or was set back: commits that the watch has not told of may be gone.
  ///
  /// @return the endpoints of those commits; nothing is ahead of the watch any more but removals
  public Set<ResourceRef> onReplaced() {
    Set<ResourceRef> uncertain = new LinkedHashSet<>();
    ahead.forEach(
        (endpoint, known) -> {
          if (known.revision() != UNTIL_DELETED && known.revision() != UNTIL_STORED) {
            uncertain.add(endpoint);
          }
        });
    ahead.keySet().removeAll(uncertain);
    return uncertain;
  }

  /// This agent has made the endpoint without the store (of an address of its reserve): a store
  /// that does not know it, or knows an earlier container's, says nothing new until it has heard.
  public void onUnstoredPut(ResourceRef endpoint, String container) {
    ahead.put(endpoint, new Ahead(UNTIL_STORED, container));
  }

  /// This agent is taking the endpoint away.
  public void onOwnRemoval(ResourceRef endpoint) {
    ahead.put(endpoint, new Ahead(UNTIL_DELETED, ""));
  }

  /// Whether an update from the store is news.
  ///
  /// @param revision of the change, or of the listing that did not hold the endpoint
  /// @param container whose endpoint the update tells of; null when it says that it is gone
  public boolean isNews(ResourceRef endpoint, long revision, @Nullable String container) {
    Ahead known = ahead.get(endpoint);
    if (known == null) {
      return true;
    }
    boolean caughtUp =
        known.revision() == UNTIL_STORED
            ? known.container().equals(container)
            : revision >= known.revision()
                || container == null && known.revision() == UNTIL_DELETED;
    if (caughtUp) {
      ahead.remove(endpoint);
      return true;
    }
    return false;
  }
}
