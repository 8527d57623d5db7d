package io.margay.agent.calc;

import io.margay.model.resource.FelixConfigurationSpec;
import io.margay.model.resource.KnobTable;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The knobs of FelixConfiguration that ask for something no agent does. Those it follows are not
/// among them, nor those that only tune how Felix works (logs, timers, metrics, its eBPF and
/// iptables machinery).
public final class InertKnobs {

  private static final Set<String> FOLLOWED =
      Set.of(
          "defaultEndpointToHostAction",
          "failsafeInboundHostPorts",
          "failsafeOutboundHostPorts",
          "logActionRateLimit",
          "logActionRateLimitBurst",
          "logPrefix",
          "natOutgoingAddress",
          "natOutgoingExclusions",
          "natPortRange",
          "nodeSelector",
          "vxlanMTU",
          "vxlanMTUV6",
          "vxlanPort",
          "vxlanVNI",
          "workloadSourceSpoofing");

  /// Of eBPF and WireGuard the switch says all: without it the rest has no effect anywhere.
  private static final Pattern TUNING =
      Pattern.compile(
          ".*(refreshInterval|recheckPeriod|timeout|pollInterval)"
              + "|(log|reporting|endpointReporting|endpointStatus|usageReporting|prometheus|health"
              + "|debug|xdp|genericXDP|netlink|dataplane|sidecar|featureDetect|featureGates|goGC"
              + "|goMaxProcs|goMemory|windows|ipset|maxIpset|metadata|routeRefresh|routeSource"
              + "|bpf(?!Enabled$)|wireguard(?!Enabled(V6)?$)|flowLogs(?!Goldmane|LocalReporter)"
              + "|iptables(?!FilterDeny|NATOutgoing)|nftables(?!FilterDeny|FlowTable)).*",
          Pattern.CASE_INSENSITIVE);

  /// What is so instead, where the knob's name does not tell.
  private static final Map<String, String> INSTEAD =
      Map.of(
          "bpfEnabled", "policy is enforced by nftables",
          "floatingIPs", "a pod is reached under its own addresses alone",
          "iptablesFilterDenyAction", "what is denied is dropped without an answer",
          "nftablesFilterDenyAction", "what is denied is dropped without an answer",
          "wireguardEnabled", "IPv4 packets between nodes are not encrypted",
          "wireguardEnabledV6", "IPv6 packets between nodes are not encrypted");

  private InertKnobs() {}

  /// Whether a knob asks for something that is not done: one that is set as Calico has it without
  /// being told, or to nothing, asks for nothing.
  public static boolean isInert(String name, @Nullable Object value) {
    return !FOLLOWED.contains(name)
        && !TUNING.matcher(name).matches()
        && value != null
        && !value.toString().isEmpty()
        && !(value instanceof Collection<?> list && list.isEmpty())
        && !value.toString().equalsIgnoreCase(ifUnset(name));
  }

  private static String ifUnset(String name) {
    return FelixConfigurationSpec.knobs().knob(name).map(KnobTable.Knob::ifAbsent).orElse("");
  }

  /// A line for each knob that asks for something that is not done.
  ///
  /// @param settings as in force on the node
  static List<String> problems(Map<String, Object> settings) {
    return new TreeMap<>(settings)
        .entrySet().stream()
            .filter(knob -> isInert(knob.getKey(), knob.getValue()))
            .map(knob -> problem(knob.getKey(), knob.getValue()))
            .toList();
  }

  private static String problem(String name, Object value) {
    String instead = INSTEAD.get(name);
    return name + ": " + value + " has no effect here" + (instead == null ? "" : "; " + instead);
  }
}
