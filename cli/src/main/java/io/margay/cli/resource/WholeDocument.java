package io.margay.cli.resource;

import io.margay.datastore.json.EndpointSliceDocuments;
import io.margay.datastore.json.Origin;
import io.margay.datastore.json.PodDocuments;
import io.margay.datastore.json.ResourceDocuments;
import java.util.ArrayList;
import java.util.List;

/// A document of Kubernetes that is stored as it is.
///
/// @param name as messages call it: `Pod(namespace/name)`
record WholeDocument(Origin origin, String kind, String name, String key, String value) {

  /// Those among what files hold: Pods, then EndpointSlices.
  static List<WholeDocument> of(ResourceDocuments documents) {
    List<WholeDocument> whole = new ArrayList<>();
    for (ResourceDocuments.PodItem item : documents.pods()) {
      PodDocuments.PodName name = PodDocuments.nameOf(item.pod());
      whole.add(
          new WholeDocument(
              item.origin(),
              "Pod",
              name.toString(),
              PodDocuments.key(name),
              PodDocuments.encode(item.pod())));
    }
    for (ResourceDocuments.SliceItem item : documents.slices()) {
      var ref = EndpointSliceDocuments.ref(item.slice());
      whole.add(
          new WholeDocument(
              item.origin(),
              ref.kind().kindName(),
              ref.toString(),
              EndpointSliceDocuments.key(ref),
              EndpointSliceDocuments.encode(item.slice())));
    }
    return whole;
  }
}
