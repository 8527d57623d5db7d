package io.margay.cni;

import io.margay.cni.journal.Attachment;
import io.margay.model.net.IpAddress;
import io.margay.model.resource.ResourceRef;
import io.margay.model.resource.WorkloadEndpoint;
import java.util.List;

/// An attachment with its addresses, and the document that says so to the cluster.
///
/// @param attachment what it is
/// @param addresses IPv4 first
/// @param document as it is in the datastore
public record PodEndpoint(
    Attachment attachment, List<IpAddress> addresses, WorkloadEndpoint document) {
  public PodEndpoint {
    addresses = List.copyOf(addresses);
  }

  /// What the document of an attachment is called, whether or not there is one.
  public static ResourceRef ref(Attachment attachment, String node) {
    return EndpointDocument.of(attachment, node, List.of()).ref();
  }
}
