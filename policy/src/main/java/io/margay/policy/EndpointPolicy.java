package io.margay.policy;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.util.List;

/// Everything the kernel needs to police one local workload endpoint.
///
/// Per direction: tiers in order, then profiles in order; nothing matched = deny. Without tiers in
/// a direction the profiles decide alone.
///
/// @param interfaceName host end of the endpoint's veth
/// @param addresses what the endpoint may use as source
/// @param ingress tiers for packets towards the endpoint
/// @param egress tiers for packets from the endpoint
/// @param profiles profile names; one without a [PolicyUpdate.ProfileUpdated] denies
/// @param hostPorts ports of the node that lead to the endpoint's first address of a family
/// @param spoofable what else it may use as source, where the node lets endpoints
public record EndpointPolicy(
    InterfaceName interfaceName,
    List<IpAddress> addresses,
    List<TierPolicies> ingress,
    List<TierPolicies> egress,
    List<String> profiles,
    List<HostPort> hostPorts,
    List<Prefix> spoofable) {

  public EndpointPolicy {
    addresses = List.copyOf(addresses);
    ingress = List.copyOf(ingress);
    egress = List.copyOf(egress);
    profiles = List.copyOf(profiles);
    hostPorts = List.copyOf(hostPorts);
    spoofable = List.copyOf(spoofable);
  }

  /// An endpoint without host ports.
  public EndpointPolicy(
      InterfaceName interfaceName,
      List<IpAddress> addresses,
      List<TierPolicies> ingress,
      List<TierPolicies> egress,
      List<String> profiles) {
    this(interfaceName, addresses, ingress, egress, profiles, List.of(), List.of());
  }
}
