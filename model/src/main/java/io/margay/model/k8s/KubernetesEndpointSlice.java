package io.margay.model.k8s;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.margay.model.net.IpAddress;
import io.margay.model.resource.EndpointSlice;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.Protocol;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A `discovery.k8s.io/v1` EndpointSlice: some of the endpoints of the service that its label
/// names. Only addresses and ports are read. Policy counts every endpoint, ready or not, as Calico
/// does: a connection to one that ends may still be open.
///
/// @param addressType of the addresses: IPv4, IPv6, or FQDN, whose names match no packet
@JsonIgnoreProperties(ignoreUnknown = true)
public record KubernetesEndpointSlice(
    Metadata metadata, String addressType, List<Endpoint> endpoints, List<Port> ports)
    implements KubernetesDocument {

  /// The label that says whose endpoints they are.
  public static final String SERVICE_LABEL = "kubernetes.io/service-name";

  static final String NAMES = "FQDN";

  public KubernetesEndpointSlice {
    metadata = Given.required(metadata, "metadata");
    addressType = Given.required(addressType, "addressType");
    endpoints = Given.list(endpoints);
    ports = Given.list(ports);
  }

  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Endpoint(List<String> addresses) {

    public Endpoint {
      addresses = Given.list(addresses);
    }
  }

  /// @param protocol TCP, UDP or SCTP; null = TCP
  /// @param port null = any, which matches nothing
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Port(@Nullable String name, @Nullable Protocol protocol, @Nullable Integer port) {}

  public KubernetesEndpointSlice withNamespace(String namespace) {
    return new KubernetesEndpointSlice(
        metadata.withNamespace(namespace), addressType, endpoints, ports);
  }

  /// The document to store: without what another server says of its own copy.
  public KubernetesEndpointSlice reduced() {
    return new KubernetesEndpointSlice(
        Metadata.named(metadata.namespaceOrEmpty(), metadata.name())
            .withLabels(metadata.labels())
            .withAnnotations(Map.of()),
        addressType,
        endpoints,
        ports);
  }

  /// What rules that name the service match.
  ///
  /// @return of a document valid by [KubernetesValidator]
  public EndpointSlice translated() {
    return new EndpointSlice(
        Metadata.named(metadata.namespaceOrEmpty(), metadata.name()),
        metadata.labels().getOrDefault(SERVICE_LABEL, ""),
        addressType.equals(NAMES)
            ? List.of()
            : endpoints.stream()
                .flatMap(endpoint -> endpoint.addresses().stream())
                .map(IpAddress::parse)
                .distinct()
                .toList(),
        ports.stream()
            .filter(port -> port.port() != null)
            .map(
                port ->
                    new EndpointSlice.ServicePort(
                        port.protocol() == null
                            ? Protocol.Named.TCP.number()
                            : port.protocol().number(),
                        port.port()))
            .distinct()
            .toList());
  }
}
