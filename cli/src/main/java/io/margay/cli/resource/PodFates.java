package io.margay.cli.resource;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.datastore.Listing;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.PodDocuments;
import io.margay.datastore.json.PodDocuments.PodName;
import io.margay.datastore.json.PodDocuments.Stored;
import io.margay.datastore.json.ResourceJson;
import io.margay.model.resource.WorkloadEndpoint;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// What became of Pod documents: which endpoint each reached.
final class PodFates {

  private final Map<PodName, WorkloadEndpoint> endpoints = new HashMap<>();

  /// @param stored the endpoints
  PodFates(Listing stored) {
    stored
        .items()
        .forEach(
            item ->
                ResourceJson.decode(item.key(), item.value(), item.modRevision())
                    .ifPresent(this::take));
  }

  private void take(Decoded decoded) {
    if (decoded instanceof Decoded.Valid(WorkloadEndpoint endpoint)
        && endpoint.spec().pod() != null) {
      endpoints.put(
          new PodName(endpoint.metadata().namespaceOrEmpty(), endpoint.spec().pod()), endpoint);
    }
  }

  /// The document with a status: `waiting` for its pod's ADD, `applied` to its endpoint, `pending`
  /// until the agent of the pod's node has, or `unreadable`.
  ObjectNode dressed(ObjectNode document) {
    PodName name =
        new PodName(
            document.path("metadata").path("namespace").asText(),
            document.path("metadata").path("name").asText());
    ObjectNode status = document.putObject("status");
    if (PodDocuments.decode(name, document.toString()) instanceof Stored.Unreadable(var reason)) {
      status.put("state", "unreadable").put("reason", reason);
    }
    Optional<WorkloadEndpoint> found = Optional.ofNullable(endpoints.get(name));
    if (found.isEmpty()) {
      put(status, "waiting");
      return document;
    }
    WorkloadEndpoint endpoint = found.get();
    boolean applied =
        document.path("metadata").path("labels").properties().stream()
            .allMatch(
                label ->
                    label
                        .getValue()
                        .asText()
                        .equals(endpoint.metadata().labels().get(label.getKey())));
    put(status, applied ? "applied" : "pending");
    status.put("endpoint", endpoint.metadata().name());
    status.put("node", endpoint.spec().node());
    var addresses = status.putArray("podIPs");
    endpoint.spec().ipNetworks().forEach(net -> addresses.add(net.address().toString()));
    return document;
  }

  private static void put(ObjectNode status, String state) {
    if (!status.has("state")) {
      status.put("state", state);
    }
  }
}
