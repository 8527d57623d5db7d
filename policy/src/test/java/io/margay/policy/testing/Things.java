package io.margay.policy.testing;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Action;
import io.margay.model.resource.EndpointPort;
import io.margay.model.resource.EndpointSlice;
import io.margay.model.resource.EntityRule;
import io.margay.model.resource.GlobalNetworkPolicy;
import io.margay.model.resource.GlobalNetworkSet;
import io.margay.model.resource.HostEndpoint;
import io.margay.model.resource.HostEndpointSpec;
import io.margay.model.resource.IpNat;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.NetworkPolicy;
import io.margay.model.resource.NetworkSet;
import io.margay.model.resource.NetworkSetSpec;
import io.margay.model.resource.PolicySpec;
import io.margay.model.resource.Port;
import io.margay.model.resource.Profile;
import io.margay.model.resource.ProfileSpec;
import io.margay.model.resource.Protocol;
import io.margay.model.resource.Rule;
import io.margay.model.resource.StagedAction;
import io.margay.model.resource.StagedGlobalNetworkPolicy;
import io.margay.model.resource.StagedNetworkPolicy;
import io.margay.model.resource.StagedPolicySpec;
import io.margay.model.resource.Tier;
import io.margay.model.resource.TierAction;
import io.margay.model.resource.TierSpec;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.model.resource.WorkloadEndpointSpec;
import io.margay.model.selector.Selector;
import io.margay.policy.EndpointKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Short names for the resources that tests are made of.
public final class Things {

  /// The node whose graph is tried.
  public static final String NODE = "node-1";

  private Things() {}

  /// `k=v` words as labels.
  public static Map<String, String> labels(String... words) {
    Map<String, String> labels = new LinkedHashMap<>();
    for (String word : words) {
      int equals = word.indexOf('=');
      labels.put(word.substring(0, equals), word.substring(equals + 1));
    }
    return labels;
  }

  public static IpAddress ip(String text) {
    return IpAddress.parse(text);
  }

  public static Selector sel(String text) {
    return Selector.parse(text);
  }

  public static EndpointKey key(String namespace, String name) {
    return new EndpointKey(namespace, name);
  }

  /// A pod on [#NODE] with its namespace's profile.
  public static WorkloadEndpoint pod(
      String namespace, String name, String address, String... labels) {
    return pod(NODE, namespace, name, List.of("kns." + namespace), address, labels);
  }

  /// A pod.
  ///
  /// @param addresses separated by commas
  public static WorkloadEndpoint pod(
      String node,
      String namespace,
      String name,
      List<String> profiles,
      String addresses,
      String... labels) {
    return new WorkloadEndpoint(
        Metadata.named(namespace, name).withLabels(labels(labels)),
        new WorkloadEndpointSpec(
            "k8s",
            null,
            node,
            null,
            name,
            "eth0",
            null,
            Arrays.stream(addresses.split(",")).map(Prefix::parseLenient).toList(),
            List.of(),
            null,
            null,
            profiles,
            interfaceOf(namespace, name),
            null,
            List.of(),
            List.of(),
            Map.of(),
            Map.of()));
  }

  private static InterfaceName interfaceOf(String namespace, String name) {
    return new InterfaceName(
        "cali" + HexFormat.of().toHexDigits((namespace + "." + name).hashCode()));
  }

  /// Some endpoints of a service.
  ///
  /// @param ports `tcp/80`
  public static EndpointSlice slice(
      String namespace, String name, String service, List<String> addresses, List<String> ports) {
    return new EndpointSlice(
        Metadata.named(namespace, name),
        service,
        addresses.stream().map(IpAddress::parse).toList(),
        ports.stream()
            .map(port -> port.split("/"))
            .map(
                port ->
                    new EndpointSlice.ServicePort(
                        Protocol.parse(port[0].toUpperCase(Locale.ROOT)).number(),
                        Integer.parseInt(port[1])))
            .toList());
  }

  /// The pod, running as a service account and with its profile.
  public static WorkloadEndpoint runningAs(WorkloadEndpoint pod, String account) {
    WorkloadEndpointSpec spec = pod.spec();
    List<String> profiles = new ArrayList<>(spec.profiles());
    profiles.add("ksa." + pod.metadata().namespace() + "." + account);
    return pod.withSpec(
        copy(spec, spec.orchestrator(), account, profiles, spec.ports(), spec.interfaceName()));
  }

  public static WorkloadEndpoint withPorts(WorkloadEndpoint pod, EndpointPort... ports) {
    WorkloadEndpointSpec spec = pod.spec();
    return pod.withSpec(
        copy(
            spec,
            spec.orchestrator(),
            spec.serviceAccountName(),
            spec.profiles(),
            List.of(ports),
            spec.interfaceName()));
  }

  public static WorkloadEndpoint withoutInterface(WorkloadEndpoint pod) {
    WorkloadEndpointSpec spec = pod.spec();
    return pod.withSpec(
        copy(
            spec,
            spec.orchestrator(),
            spec.serviceAccountName(),
            spec.profiles(),
            spec.ports(),
            null));
  }

  public static WorkloadEndpoint orchestratedBy(WorkloadEndpoint pod, String orchestrator) {
    WorkloadEndpointSpec spec = pod.spec();
    return pod.withSpec(
        copy(
            spec,
            orchestrator,
            spec.serviceAccountName(),
            spec.profiles(),
            spec.ports(),
            spec.interfaceName()));
  }

  /// The pod, reachable under another address of its own as well.
  public static WorkloadEndpoint withFloatingAddress(
      WorkloadEndpoint pod, String internal, String external) {
    WorkloadEndpointSpec spec = pod.spec();
    return pod.withSpec(
        new WorkloadEndpointSpec(
            spec.orchestrator(),
            spec.workload(),
            spec.node(),
            spec.containerID(),
            spec.pod(),
            spec.endpoint(),
            spec.serviceAccountName(),
            spec.ipNetworks(),
            List.of(new IpNat(IpAddress.parse(internal), IpAddress.parse(external), Map.of())),
            spec.ipv4Gateway(),
            spec.ipv6Gateway(),
            spec.profiles(),
            spec.interfaceName(),
            spec.mac(),
            spec.ports(),
            spec.allowSpoofedSourcePrefixes(),
            spec.qosControls(),
            spec.unknown()));
  }

  private static WorkloadEndpointSpec copy(
      WorkloadEndpointSpec spec,
      @Nullable String orchestrator,
      @Nullable String account,
      List<String> profiles,
      List<EndpointPort> ports,
      @Nullable InterfaceName interfaceName) {
    return new WorkloadEndpointSpec(
        orchestrator,
        spec.workload(),
        spec.node(),
        spec.containerID(),
        spec.pod(),
        spec.endpoint(),
        account,
        spec.ipNetworks(),
        spec.ipNATs(),
        spec.ipv4Gateway(),
        spec.ipv6Gateway(),
        profiles,
        interfaceName,
        spec.mac(),
        ports,
        spec.allowSpoofedSourcePrefixes(),
        spec.qosControls(),
        spec.unknown());
  }

  public static EndpointPort port(String name, Protocol protocol, int number) {
    return new EndpointPort(name, protocol, number, null, null, Map.of());
  }

  /// The profile of a namespace: allows all, hands down `pcns.` labels.
  public static Profile namespace(String name, String... labels) {
    return profile("kns." + name, prefixed("pcns.", labels), Action.ALLOW);
  }

  /// The profile of a service account: allows all, hands down `pcsa.` labels.
  public static Profile account(String namespace, String name, String... labels) {
    return profile("ksa." + namespace + "." + name, prefixed("pcsa.", labels), Action.ALLOW);
  }

  private static Map<String, String> prefixed(String prefix, String... labels) {
    Map<String, String> prefixed = new LinkedHashMap<>();
    labels(labels).forEach((key, value) -> prefixed.put(prefix + key, value));
    return prefixed;
  }

  /// A profile with one rule for everything in each direction.
  public static Profile profile(String name, Map<String, String> labels, Action action) {
    return profile(name, labels, List.of(Rule.of(action)), List.of(Rule.of(action)));
  }

  public static Profile profile(
      String name, Map<String, String> labels, List<Rule> ingress, List<Rule> egress) {
    return new Profile(Metadata.named(name), new ProfileSpec(ingress, egress, labels, Map.of()));
  }

  public static Tier tier(String name, @Nullable Integer order, TierAction action) {
    return new Tier(
        Metadata.named(name),
        new TierSpec(order == null ? null : order.doubleValue(), action, Map.of()));
  }

  public static NetworkPolicy policy(String namespace, String name, PolicySpec spec) {
    return new NetworkPolicy(Metadata.named(namespace, name), spec);
  }

  public static GlobalNetworkPolicy globalPolicy(String name, PolicySpec spec) {
    return new GlobalNetworkPolicy(Metadata.named(name), spec);
  }

  /// A spec that selects by `selector`.
  public static PolicySpec selecting(String selector) {
    return PolicySpec.EMPTY.withSelector(sel(selector));
  }

  public static NetworkSet networkSet(
      String namespace, String name, List<String> nets, String... labels) {
    return new NetworkSet(
        Metadata.named(namespace, name).withLabels(labels(labels)),
        new NetworkSetSpec(nets.stream().map(Prefix::parse).toList(), Map.of()));
  }

  public static GlobalNetworkSet globalNetworkSet(
      String name, List<String> nets, String... labels) {
    return new GlobalNetworkSet(
        Metadata.named(name).withLabels(labels(labels)),
        new NetworkSetSpec(nets.stream().map(Prefix::parse).toList(), Map.of()));
  }

  public static HostEndpoint host(String name, String address, String... labels) {
    return new HostEndpoint(
        Metadata.named(name).withLabels(labels(labels)),
        new HostEndpointSpec(name, "*", List.of(ip(address)), List.of(), List.of(), Map.of()));
  }

  /// A host endpoint of [#NODE].
  ///
  /// @param interfaceName null = by the address
  public static HostEndpoint localHost(
      String name,
      @Nullable String interfaceName,
      String address,
      List<String> profiles,
      String... labels) {
    return new HostEndpoint(
        Metadata.named(name).withLabels(labels(labels)),
        new HostEndpointSpec(
            NODE, interfaceName, List.of(ip(address)), profiles, List.of(), Map.of()));
  }

  /// What the policy would be on trial.
  public static StagedGlobalNetworkPolicy staged(String name, PolicySpec spec) {
    return new StagedGlobalNetworkPolicy(
        Metadata.named(name), StagedPolicySpec.of(StagedAction.SET, spec));
  }

  /// What the policy would be on trial.
  public static StagedNetworkPolicy staged(String namespace, String name, PolicySpec spec) {
    return new StagedNetworkPolicy(
        Metadata.named(namespace, name), StagedPolicySpec.of(StagedAction.SET, spec));
  }

  /// The spec, for host endpoints at the given stages.
  public static PolicySpec forHosts(
      PolicySpec spec, boolean doNotTrack, boolean preDnat, boolean applyOnForward) {
    return new PolicySpec(
        spec.tier(),
        spec.order(),
        spec.selector(),
        spec.namespaceSelector(),
        spec.serviceAccountSelector(),
        spec.types(),
        spec.ingress(),
        spec.egress(),
        doNotTrack,
        preDnat,
        applyOnForward,
        spec.performanceHints(),
        spec.unknown());
  }

  public static Rule allow() {
    return Rule.of(Action.ALLOW);
  }

  public static Rule deny() {
    return Rule.of(Action.DENY);
  }

  public static Rule pass() {
    return Rule.of(Action.PASS);
  }

  public static Rule log() {
    return Rule.of(Action.LOG);
  }

  public static Rule allowTcpTo(String... ports) {
    return allow()
        .withProtocol(Protocol.Named.TCP)
        .withDestination(
            EntityRule.EMPTY.withPorts(Arrays.stream(ports).map(Port::parse).toList()));
  }

  public static EntityRule peer(String selector) {
    return EntityRule.EMPTY.withSelector(sel(selector));
  }

  public static EntityRule nets(String... nets) {
    return EntityRule.EMPTY.withNets(Arrays.stream(nets).map(Prefix::parse).toList());
  }

  public static EntityRule notNets(String... nets) {
    return EntityRule.EMPTY.withNotNets(Arrays.stream(nets).map(Prefix::parse).toList());
  }
}
