package io.margay.model.resource;

import io.margay.model.net.IpAddress;
import java.util.List;

/// Some of the endpoints of a Kubernetes service: every address at every port. What rules that name
/// the service match. Made of Kubernetes' document of the same name, which is what is stored, see
/// [Kind#isKubernetes].
///
/// @param metadata identity: the slice's, not the service's
/// @param service the service in the slice's namespace; empty if the slice is no service's
/// @param addresses of the endpoints, ready or not
/// @param ports those that have a number
public record EndpointSlice(
    Metadata metadata, String service, List<IpAddress> addresses, List<ServicePort> ports)
    implements Resource {

  /// A port that endpoints of a service listen on.
  ///
  /// @param protocol IP protocol number
  /// @param number 1 to 65535
  public record ServicePort(int protocol, int number) {}

  public EndpointSlice {
    metadata = Copies.required(metadata, "metadata");
    addresses = Copies.list(addresses);
    ports = Copies.list(ports);
  }

  @Override
  public Kind kind() {
    return Kind.ENDPOINT_SLICE;
  }

  @Override
  public EndpointSlice withMetadata(Metadata newMetadata) {
    return new EndpointSlice(newMetadata, service, addresses, ports);
  }

  /// Whether it has endpoints of this service.
  public boolean isOf(String namespace, String name) {
    return !service.isEmpty()
        && service.equals(name)
        && metadata.namespaceOrEmpty().equals(namespace);
  }

  /// Whether one of its endpoints listens there.
  public boolean has(IpAddress address, int protocol, int port) {
    return addresses.contains(address) && ports.contains(new ServicePort(protocol, port));
  }
}
