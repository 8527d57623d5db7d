package io.margay.agent.cni;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.margay.cni.spec.AttachmentId;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.Assignment;
import io.margay.ipam.SameTxn;
import io.margay.model.net.IpAddress;
import io.margay.model.resource.WorkloadEndpoint;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;

/// Writes the endpoint beside its addresses, over what an earlier container of the same pod may
/// have left under the key.
final class EndpointWrite implements SameTxn {
  private final AttachmentId id;
  private final Function<List<IpAddress>, WorkloadEndpoint> document;
  private final InstantSource clock;
  private Map<String, KeyValue> current = Map.of();

  EndpointWrite(
      AttachmentId id, InstantSource clock, Function<List<IpAddress>, WorkloadEndpoint> document) {
    this.id = id;
    this.clock = clock;
    this.document = document;
  }

  void onConflict(Map<String, KeyValue> found) {
    current = found;
  }

  /// As it is stored: with an identity of its own.
  WorkloadEndpoint endpoint(List<IpAddress> addresses) {
    WorkloadEndpoint endpoint = document.apply(addresses);
    String uid = UUID.nameUUIDFromBytes(id.toString().getBytes(UTF_8)).toString();
    Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
    return endpoint.withMetadata(endpoint.metadata().withIdentity(uid, now));
  }

  @Override
  public Extras with(List<Assignment> assignments) {
    WorkloadEndpoint endpoint = endpoint(assignments.stream().map(Assignment::address).toList());
    String key = ResourceKeys.key(endpoint.ref());
    KeyValue before = current.get(key);
    Txn.Condition condition =
        before == null
            ? new Txn.Condition.Absent(key)
            : new Txn.Condition.AtRevision(key, before.modRevision());
    return new Extras(
        List.of(condition), List.of(new Txn.Write.Put(key, ResourceJson.encode(endpoint))));
  }
}
