package io.margay.agent.cni;

import io.margay.cni.spec.AttachmentId;
import io.margay.model.resource.ResourceRef;
import io.margay.model.resource.WorkloadEndpoint;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/// Which WorkloadEndpoint belongs to an attachment, and the revision at which this agent wrote it.
/// From any thread.
public final class EndpointDirectory {

  private final Map<AttachmentId, Written> written = new ConcurrentHashMap<>();
  private final Function<AttachmentId, Optional<ResourceRef>> known;

  /// An endpoint as this agent committed it.
  record Written(ResourceRef endpoint, long revision) {}

  /// @param known looks an attachment up among the endpoints the store has told of
  public EndpointDirectory(Function<AttachmentId, Optional<ResourceRef>> known) {
    this.known = known;
  }

  void onCommitted(AttachmentId id, WorkloadEndpoint endpoint, long revision) {
    written.put(id, new Written(endpoint.ref(), revision));
  }

  /// The attachment is on its way out; its endpoint is still to be found until [#forget].
  void remember(AttachmentId id, ResourceRef endpoint) {
    written.putIfAbsent(id, new Written(endpoint, 0));
  }

  void forget(AttachmentId id) {
    written.remove(id);
  }

  Optional<ResourceRef> endpointOf(AttachmentId id) {
    Written mine = written.get(id);
    return mine != null ? Optional.of(mine.endpoint()) : known.apply(id);
  }

  /// 0 when this process did not write it.
  long revisionOf(AttachmentId id) {
    Written mine = written.get(id);
    return mine == null ? 0 : mine.revision();
  }
}
