package io.margay.model.resource;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.MacAddress;
import io.margay.model.net.Prefix;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Whose endpoint it is, how it is wired, what it inherits.
///
/// @param orchestrator `k8s`, `cni`, …
/// @param workload the workload, where it is not a pod
/// @param node where it runs
/// @param containerID the sandbox it was wired for
/// @param pod the pod
/// @param endpoint which of its attachments: `eth0`
/// @param serviceAccountName what it runs as
/// @param ipNetworks its addresses, /32 or /128
/// @param ipNATs floating addresses
/// @param ipv4Gateway null = link-local
/// @param ipv6Gateway null = link-local
/// @param profiles in order
/// @param interfaceName host end of its veth
/// @param mac of the pod's end
/// @param ports names for ports
/// @param allowSpoofedSourcePrefixes source addresses beyond its own
/// @param qosControls limits on its traffic, see [#qosKnobs]; kept for others
/// @param unknown fields this version has no name for, kept for the round trip
public record WorkloadEndpointSpec(
    @Nullable String orchestrator,
    @Nullable String workload,
    @Nullable String node,
    @Nullable String containerID,
    @Nullable String pod,
    @Nullable String endpoint,
    @Nullable String serviceAccountName,
    List<Prefix> ipNetworks,
    List<IpNat> ipNATs,
    @Nullable IpAddress ipv4Gateway,
    @Nullable IpAddress ipv6Gateway,
    List<String> profiles,
    @Nullable InterfaceName interfaceName,
    @Nullable MacAddress mac,
    List<EndpointPort> ports,
    List<Prefix> allowSpoofedSourcePrefixes,
    Map<String, Object> qosControls,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  /// Nothing given.
  public static final WorkloadEndpointSpec EMPTY =
      new WorkloadEndpointSpec(
          null, null, null, null, null, null, null, List.of(), List.of(), null, null, List.of(),
          null, null, List.of(), List.of(), Map.of(), Map.of());

  public WorkloadEndpointSpec {
    ipNetworks = Copies.list(ipNetworks);
    ipNATs = Copies.list(ipNATs);
    profiles = Copies.list(profiles);
    ports = Copies.list(ports);
    allowSpoofedSourcePrefixes = Copies.list(allowSpoofedSourcePrefixes);
    qosControls = QosControls.TABLE.inOrder(qosControls);
    unknown = Copies.sorted(unknown);
  }

  /// The limits `qosControls` may set.
  public static KnobTable qosKnobs() {
    return QosControls.TABLE;
  }

  /// The name such an endpoint has in the store: node, orchestrator, workload and endpoint joined
  /// by `-`, a `-` within a part doubled. The workload is the pod for `k8s`, the container for
  /// `cni`. Empty while one of the parts is missing.
  public Optional<String> resourceName() {
    if (node == null || orchestrator == null || endpoint == null) {
      return Optional.empty();
    }
    String unit =
        switch (orchestrator) {
          case "k8s" -> pod;
          case "cni" -> containerID;
          default -> workload;
        };
    return unit == null
        ? Optional.empty()
        : Optional.of(
            escape(node)
                + "-"
                + escape(orchestrator)
                + "-"
                + escape(unit)
                + "-"
                + escape(endpoint));
  }

  /// The same attachment, running as another account.
  public WorkloadEndpointSpec runningAs(
      @Nullable String newServiceAccountName,
      List<String> newProfiles,
      List<EndpointPort> newPorts) {
    return new WorkloadEndpointSpec(
        orchestrator,
        workload,
        node,
        containerID,
        pod,
        endpoint,
        newServiceAccountName,
        ipNetworks,
        ipNATs,
        ipv4Gateway,
        ipv6Gateway,
        newProfiles,
        interfaceName,
        mac,
        newPorts,
        allowSpoofedSourcePrefixes,
        qosControls,
        unknown);
  }

  /// The same endpoint, of another attachment.
  public WorkloadEndpointSpec attachedTo(
      @Nullable String newOrchestrator,
      @Nullable String newNode,
      @Nullable String newPod,
      @Nullable String newEndpoint) {
    return new WorkloadEndpointSpec(
        newOrchestrator,
        workload,
        newNode,
        containerID,
        newPod,
        newEndpoint,
        serviceAccountName,
        ipNetworks,
        ipNATs,
        ipv4Gateway,
        ipv6Gateway,
        profiles,
        interfaceName,
        mac,
        ports,
        allowSpoofedSourcePrefixes,
        qosControls,
        unknown);
  }

  private static String escape(String part) {
    return NameRules.isName(part) ? part.replace("-", "--") : nameOf(part);
  }

  /// The name of a resource that is meant by `text`: the text itself where it is a name. Ids of
  /// containers and names of CNI networks may hold what no name can, such as `A` or `_`: of such a
  /// text the name keeps what it can, and a digest for what it can't.
  public static String nameOf(String text) {
    if (NameRules.isName(text)) {
      return text;
    }
    StringBuilder kept = new StringBuilder();
    text.toLowerCase(Locale.ROOT)
        .chars()
        .filter(c -> c >= 'a' && c <= 'z' || c >= '0' && c <= '9')
        .forEach(c -> kept.append((char) c));
    String digest = UUID.nameUUIDFromBytes(text.getBytes(UTF_8)).toString();
    return kept + "x" + digest.substring(0, digest.indexOf('-'));
  }
}
