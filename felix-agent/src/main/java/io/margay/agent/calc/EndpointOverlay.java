package io.margay.agent.calc;

import io.margay.model.resource.ResourceRef;
import java.util.LinkedHashMap;
import java.util.Map;

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

  private final Map<ResourceRef, Long> ahead =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<ResourceRef, Long> eldest) {
          return size() > MAX_PENDING;
        }
      };

  /// This agent has committed the endpoint at `revision`.
  public void onOwnPut(ResourceRef endpoint, long revision) {
    ahead.put(endpoint, revision);
  }

  /// This agent is taking the endpoint away.
  public void onOwnRemoval(ResourceRef endpoint) {
    ahead.put(endpoint, UNTIL_DELETED);
  }

  /// Whether an update from the store is news.
  ///
  /// @param revision of the change, or of the listing that did not hold the endpoint
  /// @param deletion whether the update says the endpoint is gone
  public boolean isNews(ResourceRef endpoint, long revision, boolean deletion) {
    Long known = ahead.get(endpoint);
    if (known == null) {
      return true;
    }
    if (revision >= known || deletion && known == UNTIL_DELETED) {
      ahead.remove(endpoint);
      return true;
    }
    return false;
  }
}
