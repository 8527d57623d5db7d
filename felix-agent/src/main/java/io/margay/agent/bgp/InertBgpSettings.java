package io.margay.agent.bgp;

import io.margay.agent.calc.ClusterView;
import io.margay.model.resource.BGPConfiguration;
import io.margay.model.resource.BGPConfigurationSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The settings of BGPConfiguration that ask for something no agent does.
public final class InertBgpSettings {

  /// The metric of Felix' routes unless it is told another; that of ours always.
  private static final int ROUTE_PRIORITY = 1024;

  private InertBgpSettings() {}

  /// By name, those that ask for addresses of services to be announced.
  public static List<String> ofServices(BGPConfigurationSpec spec) {
    List<String> asked = new ArrayList<>();
    addIf(!spec.serviceClusterIPs().isEmpty(), "serviceClusterIPs", asked);
    addIf(!spec.serviceExternalIPs().isEmpty(), "serviceExternalIPs", asked);
    addIf(!spec.serviceLoadBalancerIPs().isEmpty(), "serviceLoadBalancerIPs", asked);
    return asked;
  }

  /// By name, all others.
  public static List<String> others(BGPConfigurationSpec spec) {
    List<String> asked = new ArrayList<>();
    addIf(!spec.ignoredInterfaces().isEmpty(), "ignoredInterfaces", asked);
    addIf(isOther(spec.ipv4NormalRoutePriority()), "ipv4NormalRoutePriority", asked);
    addIf(isOther(spec.ipv6NormalRoutePriority()), "ipv6NormalRoutePriority", asked);
    addIf(spec.localWorkloadPeeringIPV4() != null, "localWorkloadPeeringIPV4", asked);
    addIf(spec.localWorkloadPeeringIPV6() != null, "localWorkloadPeeringIPV6", asked);
    addIf(spec.programClusterRoutes() != null, "programClusterRoutes", asked);
    return asked;
  }

  private static boolean isOther(@Nullable Integer priority) {
    return priority != null && priority != ROUTE_PRIORITY;
  }

  private static void addIf(boolean isAsked, String name, List<String> asked) {
    if (isAsked) {
      asked.add(name);
    }
  }

  /// A line for each that is set for all nodes or for one.
  public static List<String> problems(String nodeName, ClusterView view) {
    return Stream.of(view.bgpConfiguration(), view.bgpConfigurationOf(nodeName))
        .flatMap(Optional::stream)
        .flatMap(InertBgpSettings::problems)
        .toList();
  }

  private static Stream<String> problems(BGPConfiguration configuration) {
    String before = "BGPConfiguration " + configuration.metadata().name() + ": ";
    return Stream.concat(
        ofServices(configuration.spec()).stream()
            .map(name -> before + name + " has no effect here; services are not announced"),
        others(configuration.spec()).stream().map(name -> before + name + " has no effect here"));
  }
}
