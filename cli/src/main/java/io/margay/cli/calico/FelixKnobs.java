package io.margay.cli.calico;

import io.margay.model.resource.FelixConfiguration;
import io.margay.model.resource.FelixConfigurationSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/// What FelixConfigurations ask for. A Margay agent follows those that protect the node and that
/// say how packets are wrapped; those that only tune how Felix works (logs, timers, metrics, its
/// eBPF and iptables machinery) are passed over.
final class FelixKnobs {

  private static final Pattern TUNING =
      Pattern.compile(
          "log(?!Prefix|ActionRateLimit).*|.*(refreshInterval|recheckPeriod|timeout|pollInterval)"
              + "|(reporting|usageReporting|prometheus|health|debug|flowLogs|bpf|xdp|iptables|nft|ipset"
              + "|route(?!Table)|netlink|dataplane|genericXDP|sidecar|policySync|endpointStatus"
              + "|featureDetect|featureGates|goGC|goMaxProcs|goMemory|windows|aws|goldmane).*",
          Pattern.CASE_INSENSITIVE);

  private static final Set<String> FOLLOWED =
      Set.of(
          "defaultEndpointToHostAction",
          "failsafeInboundHostPorts",
          "failsafeOutboundHostPorts",
          "vxlanMTU",
          "vxlanMTUV6",
          "vxlanPort",
          "vxlanVNI");

  private static final List<String> WIREGUARD = List.of("wireguardEnabled", "wireguardEnabledV6");

  private FelixKnobs() {}

  static void collect(CalicoCluster cluster, List<Finding> findings) {
    for (FelixConfiguration configuration : cluster.all(FelixConfiguration.class)) {
      FelixConfigurationSpec spec = configuration.spec();
      String object = configuration.ref().toString();
      if (spec.flag("bpfEnabled").orElse(false)) {
        findings.add(new Finding(Support.BPF_DATAPLANE, object, "bpfEnabled: true"));
      }
      for (String knob : WIREGUARD) {
        if (spec.flag(knob).orElse(false)) {
          findings.add(new Finding(Support.WIREGUARD, object, knob + ": true"));
        }
      }
      List<String> knobs = new ArrayList<>();
      for (Map.Entry<String, Object> setting : new TreeMap<>(spec.settings()).entrySet()) {
        String name = setting.getKey();
        if (!FOLLOWED.contains(name)
            && !TUNING.matcher(name).matches()
            && !name.toLowerCase(Locale.ROOT).startsWith("wireguard")) {
          knobs.add(name + ": " + setting.getValue());
        }
      }
      if (!knobs.isEmpty()) {
        findings.add(new Finding(Support.FELIX_KNOB, object, String.join(", ", knobs)));
      }
    }
  }
}
