package io.margay.model.resource;

import io.margay.model.net.IpFamily;
import io.margay.model.resource.KnobTable.Knob;
import io.margay.model.resource.KnobTable.Values;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The node agent's knobs that Calico documents: FelixConfiguration's fields. Most mean nothing
/// here; they are checked all the same, for the nodes that run Calico.
final class FelixKnobs {

  private static final int MAX_FAILSAFE_PORTS = 1024;
  private static final int MAX_TABLE_RANGES = 1024;
  private static final int MAX_OVERRIDES = 1024;
  private static final int MAX_PREFIXES = 65_535;
  private static final long MAX_MASK = 0xffff_ffffL;

  private static final Values PROTO_PORT =
      new Values.Fields(
          new KnobTable(
              List.of(
                  knob("protocol", Values.Words.of("TCP", "UDP", "SCTP"), ""),
                  knob("port", new Values.Range(0, Port.MAX), ""),
                  knob("net", new Values.Text(), ""))),
          List.of("port"));
  private static final Values TABLE_RANGE =
      new Values.Fields(
          new KnobTable(
              List.of(
                  knob("min", new Values.Range(1, MAX_MASK), ""),
                  knob("max", new Values.Range(1, MAX_MASK), ""))),
          List.of("min", "max"));
  private static final Values HEALTH_TIMEOUT =
      new Values.Fields(
          new KnobTable(
              List.of(
                  knob(
                      "name",
                      new Values.Form("a component", Pattern.compile("[a-zA-Z0-9_ -]+")),
                      ""),
                  knob("timeout", new Values.Duration(), ""))),
          List.of("name", "timeout"));
  private static final Values INTERFACE =
      new Values.Form("an interface", Pattern.compile("[a-zA-Z0-9_.-]{1,15}"));
  private static final Values INTERFACE_FILTER =
      new Values.Form(
          "an interface, or the beginning of one and \"+\"",
          Pattern.compile("[a-zA-Z0-9:._+-]{1,15}"));
  private static final Values HOST =
      new Values.Form("a host", Pattern.compile("[a-zA-Z0-9:._+-]{1,64}"));
  private static final Values KEY_VALUES =
      new Values.Form(
          "a list key=value,key=value",
          Pattern.compile("\\s*|(\\s*\\w+=[^,]*)?(,(\\s*\\w+=[^,]*)?)*"));

  static final KnobTable TABLE =
      new KnobTable(
          Stream.of(
                  interfaces(),
                  rules(),
                  iptables(),
                  nftables(),
                  routes(),
                  nat(),
                  reports(),
                  logs(),
                  tunnels(),
                  foreign(),
                  bpf())
              .flatMap(List::stream)
              .toList());

  private FelixKnobs() {}

  private static Knob knob(String name, Values values, String ifAbsent) {
    return new Knob(name, values, ifAbsent);
  }

  private static List<Knob> interfaces() {
    return List.of(
        knob("interfacePrefix", new Values.Text(), "cali"),
        knob("interfaceExclude", new Values.Text(), "kube-ipvs0"),
        knob(
            "mtuIfacePattern",
            new Values.Regex(),
            "^((en|wl|ww|sl|ib)[Pcopsvx].*|(eth|wlan|wwan).*)"),
        knob("requireMTUFile", new Values.Flag(), "false"),
        knob("interfaceRefreshInterval", new Values.Duration(), "90s"),
        knob("ipForwarding", Values.Words.of("Enabled", "Disabled"), "Enabled"),
        knob("floatingIPs", Values.Words.of("Enabled", "Disabled"), "Disabled"),
        knob("workloadSourceSpoofing", Values.Words.of("Disabled", "Any"), "Disabled"),
        knob("sidecarAccelerationEnabled", new Values.Flag(), "false"),
        knob("localSubnetL2Reachability", new Values.Text(), "Disabled"),
        knob("netlinkTimeout", new Values.Duration(), "10s"));
  }

  private static List<Knob> rules() {
    return List.of(
        knob("defaultEndpointToHostAction", Values.Words.of("Drop", "Accept", "Return"), "Drop"),
        knob("chainInsertMode", Values.Words.of("Insert", "Append"), "Insert"),
        knob("serviceLoopPrevention", Values.Words.of("Drop", "Reject", "Disabled"), "Drop"),
        knob("disableConntrackInvalidCheck", new Values.Flag(), "false"),
        knob(
            "failsafeInboundHostPorts",
            new Values.Each(PROTO_PORT, MAX_FAILSAFE_PORTS),
            "tcp 22, 179, 2379, 2380, 5473, 6443, 6666, 6667; udp 68"),
        knob(
            "failsafeOutboundHostPorts",
            new Values.Each(PROTO_PORT, MAX_FAILSAFE_PORTS),
            "tcp 179, 2379, 2380, 5473, 6443, 6666, 6667; udp 53, 67"),
        knob("kubeNodePortRanges", new Values.Each(new Values.Ports(), 7), "30000:32767"),
        knob("logPrefix", new Values.Text(), "calico-packet"),
        knob("logActionRateLimit", new Values.Text(), ""),
        knob("logActionRateLimitBurst", new Values.Range(0, Integer.MAX_VALUE), ""),
        knob("policySyncPathPrefix", new Values.Text(), ""),
        knob("allowVXLANPacketsFromWorkloads", new Values.Flag(), "false"),
        knob("allowIPIPPacketsFromWorkloads", new Values.Flag(), "false"));
  }

  private static List<Knob> iptables() {
    return List.of(
        knob("iptablesBackend", Values.Words.of("Auto", "Legacy", "NFT"), "Auto"),
        knob("iptablesRefreshInterval", new Values.Duration(), "180s"),
        knob("iptablesPostWriteCheckInterval", new Values.Duration(), "1s"),
        knob("iptablesLockFilePath", new Values.Text(), "/run/xtables.lock"),
        knob("iptablesLockTimeout", new Values.Duration(), "0s"),
        knob("iptablesLockProbeInterval", new Values.Duration(), "50ms"),
        knob("iptablesFilterAllowAction", Values.Words.of("Accept", "Return"), "Accept"),
        knob("iptablesMangleAllowAction", Values.Words.of("Accept", "Return"), "Accept"),
        knob("iptablesFilterDenyAction", Values.Words.of("Drop", "Reject"), "Drop"),
        knob("iptablesMarkMask", new Values.Range(0, MAX_MASK), "0xffff0000"),
        knob("iptablesNATOutgoingInterfaceFilter", INTERFACE_FILTER, ""),
        knob("ipsetsRefreshInterval", new Values.Duration(), "90s"),
        knob("maxIpsetSize", new Values.Range(0, Integer.MAX_VALUE), "1048576"));
  }

  private static List<Knob> nftables() {
    return List.of(
        knob("nftablesMode", Values.Words.of("Auto", "Enabled", "Disabled"), "Auto"),
        knob("nftablesRefreshInterval", new Values.Duration(), "180s"),
        knob("nftablesFilterAllowAction", Values.Words.of("Accept", "Return"), "Accept"),
        knob("nftablesMangleAllowAction", Values.Words.of("Accept", "Return"), "Accept"),
        knob("nftablesFilterDenyAction", Values.Words.of("Drop", "Reject"), "Drop"),
        knob("nftablesMarkMask", new Values.Range(0, MAX_MASK), "0xffff0000"),
        knob("nftablesFlowTableOffload", new Values.Text(), "Disabled"));
  }

  private static List<Knob> routes() {
    return List.of(
        knob("routeRefreshInterval", new Values.Duration(), "90s"),
        knob("routeSource", Values.Words.of("WorkloadIPs", "CalicoIPAM"), "CalicoIPAM"),
        knob("routeSyncDisabled", new Values.Flag(), "false"),
        knob("routeTableRange", TABLE_RANGE, ""),
        knob("routeTableRanges", new Values.Each(TABLE_RANGE, MAX_TABLE_RANGES), ""),
        knob("removeExternalRoutes", new Values.Flag(), "true"),
        knob("deviceRouteProtocol", new Values.Range(0, 255), "3"),
        knob("deviceRouteSourceAddress", new Values.Address(IpFamily.IPV4), ""),
        knob("deviceRouteSourceAddressIPv6", new Values.Address(IpFamily.IPV6), ""),
        knob(
            "programClusterRoutes",
            Values.Words.of("Enabled", "Disabled", "EnabledIPIPOnly", "EnabledNoEncapOnly"),
            ""),
        knob("ipv4NormalRoutePriority", new Values.Range(1, FilterValidation.MAX_PRIORITY), "1024"),
        knob(
            "ipv4ElevatedRoutePriority", new Values.Range(1, FilterValidation.MAX_PRIORITY), "512"),
        knob("ipv6NormalRoutePriority", new Values.Range(1, FilterValidation.MAX_PRIORITY), "1024"),
        knob(
            "ipv6ElevatedRoutePriority", new Values.Range(1, FilterValidation.MAX_PRIORITY), "512"),
        knob("externalNodesList", new Values.Each(new Values.Network(), MAX_PREFIXES), ""));
  }

  private static List<Knob> nat() {
    return List.of(
        knob("natPortRange", new Values.Ports(), ""),
        knob("natOutgoingAddress", new Values.Address(IpFamily.IPV4), ""),
        knob(
            "natOutgoingExclusions",
            Values.Words.of("IPPoolsOnly", "IPPoolsAndHostIPs"),
            "IPPoolsOnly"));
  }

  private static List<Knob> reports() {
    return List.of(
        knob("reportingInterval", new Values.Duration(), "30s"),
        knob("reportingTTL", new Values.Duration(), "90s"),
        knob("endpointReportingEnabled", new Values.Flag(), "false"),
        knob("endpointReportingDelay", new Values.Duration(), "1s"),
        knob("endpointStatusPathPrefix", new Values.Text(), ""),
        knob("usageReportingEnabled", new Values.Flag(), "true"),
        knob("usageReportingInitialDelay", new Values.Duration(), "300s"),
        knob("usageReportingInterval", new Values.Duration(), "86400s"),
        knob("healthEnabled", new Values.Flag(), "false"),
        knob("healthHost", new Values.Text(), "localhost"),
        knob("healthPort", new Values.Range(0, Port.MAX), "9099"),
        knob("healthTimeoutOverrides", new Values.Each(HEALTH_TIMEOUT, MAX_OVERRIDES), ""),
        knob("dataplaneWatchdogTimeout", new Values.Duration(), "90s"),
        knob("prometheusMetricsEnabled", new Values.Flag(), "false"),
        knob("prometheusMetricsHost", HOST, ""),
        knob("prometheusMetricsPort", new Values.Range(0, Port.MAX), "9091"),
        knob("prometheusGoMetricsEnabled", new Values.Flag(), "true"),
        knob("prometheusProcessMetricsEnabled", new Values.Flag(), "true"),
        knob("prometheusWireGuardMetricsEnabled", new Values.Flag(), "true"),
        knob("flowLogsFlushInterval", new Values.Duration(), "300s"),
        knob("flowLogsCollectorDebugTrace", new Values.Flag(), "false"),
        knob("flowLogsGoldmaneServer", new Values.Text(), ""),
        knob("flowLogsLocalReporter", Values.Words.of("Enabled", "Disabled"), "Disabled"),
        knob("flowLogsPolicyEvaluationMode", Values.Words.of("None", "Continuous"), "Continuous"));
  }

  private static List<Knob> logs() {
    return List.of(
        knob("logFilePath", new Values.Text(), "/var/log/calico/felix.log"),
        knob(
            "logSeverityFile",
            Values.Words.of("Trace", "Debug", "Info", "Warning", "Error", "Fatal"),
            "Info"),
        knob(
            "logSeverityScreen",
            Values.Words.of("Trace", "Debug", "Info", "Warning", "Error", "Fatal"),
            "Info"),
        knob(
            "logSeveritySys",
            Values.Words.of("Trace", "Debug", "Info", "Warning", "Error", "Fatal"),
            "Info"),
        knob("logDebugFilenameRegex", new Values.Regex(), ""),
        knob("debugMemoryProfilePath", new Values.Text(), ""),
        knob("debugDisableLogDropping", new Values.Flag(), "false"),
        knob("debugSimulateCalcGraphHangAfter", new Values.Duration(), "0s"),
        knob("debugSimulateDataplaneHangAfter", new Values.Duration(), "0s"),
        knob("debugSimulateDataplaneApplyDelay", new Values.Duration(), "0s"),
        knob("debugHost", new Values.Text(), "localhost"),
        knob("debugPort", new Values.Range(0, Port.MAX), ""),
        knob("goGCThreshold", new Values.Range(-1, Integer.MAX_VALUE), "40"),
        knob("goMemoryLimitMB", new Values.Range(-1, Integer.MAX_VALUE), "-1"),
        knob("goMaxProcs", new Values.Range(-1, Integer.MAX_VALUE), "-1"),
        knob("featureDetectOverride", KEY_VALUES, ""),
        knob("featureGates", KEY_VALUES, ""));
  }

  private static List<Knob> tunnels() {
    return List.of(
        knob("ipipEnabled", new Values.Flag(), ""),
        knob("ipipMTU", new Values.Range(0, 65535), "0 = found out"),
        knob("vxlanEnabled", new Values.Flag(), ""),
        knob("vxlanMTU", new Values.Range(0, 65535), "0 = found out"),
        knob("vxlanMTUV6", new Values.Range(0, 65535), "0 = found out"),
        knob("vxlanPort", new Values.Range(1, Port.MAX), "4789"),
        knob("vxlanVNI", new Values.Range(0, 0xffffff), "4096"),
        knob("wireguardEnabled", new Values.Flag(), "false"),
        knob("wireguardEnabledV6", new Values.Flag(), "false"),
        knob("wireguardThreadingEnabled", new Values.Flag(), "false"),
        knob("wireguardListeningPort", new Values.Range(1, Port.MAX), "51820"),
        knob("wireguardListeningPortV6", new Values.Range(1, Port.MAX), "51821"),
        knob("wireguardRoutingRulePriority", new Values.Range(1, 32765), "99"),
        knob("wireguardInterfaceName", INTERFACE, "wireguard.cali"),
        knob("wireguardInterfaceNameV6", INTERFACE, "wg-v6.cali"),
        knob("wireguardMTU", new Values.Range(0, 65535), "0 = found out"),
        knob("wireguardMTUV6", new Values.Range(0, 65535), "0 = found out"),
        knob("wireguardHostEncryptionEnabled", new Values.Flag(), "false"),
        knob("wireguardKeepAlive", new Values.Duration(), "0s"),
        knob("awsSrcDstCheck", Values.Words.of("DoNothing", "Enable", "Disable"), "DoNothing"));
  }

  private static List<Knob> foreign() {
    return List.of(
        knob("openstackRegion", new Values.Text(), ""),
        knob("metadataAddr", new Values.Text(), "127.0.0.1"),
        knob("metadataPort", new Values.Range(0, Port.MAX), "8775"),
        knob("windowsManageFirewallRules", Values.Words.of("Enabled", "Disabled"), "Disabled"),
        knob("xdpEnabled", new Values.Flag(), "true"),
        knob("xdpRefreshInterval", new Values.Duration(), "90s"),
        knob("genericXDPEnabled", new Values.Flag(), "false"));
  }

  private static List<Knob> bpf() {
    return List.of(
        knob("bpfEnabled", new Values.Flag(), "false"),
        knob("bpfDisableUnprivileged", new Values.Flag(), "true"),
        knob("bpfLogLevel", Values.Words.of("Off", "Info", "Debug"), "Off"),
        knob("bpfLogFilters", new Values.Texts(), ""),
        knob("bpfCTLBLogFilter", new Values.Text(), ""),
        knob("bpfDataIfacePattern", new Values.Regex(), ""),
        knob("bpfL3IfacePattern", new Values.Regex(), ""),
        knob("bpfConnectTimeLoadBalancingEnabled", new Values.Flag(), ""),
        knob("bpfConnectTimeLoadBalancing", Values.Words.of("TCP", "Enabled", "Disabled"), "TCP"),
        knob("bpfHostNetworkedNATWithoutCTLB", Values.Words.of("Enabled", "Disabled"), "Enabled"),
        knob("bpfExternalServiceMode", Values.Words.of("Tunnel", "DSR"), "Tunnel"),
        knob("bpfDSROptoutCIDRs", new Values.Each(new Values.Network(), MAX_PREFIXES), ""),
        knob("bpfExtToServiceConnmark", new Values.Range(0, MAX_MASK), "0"),
        knob("bpfKubeProxyIptablesCleanupEnabled", new Values.Flag(), "true"),
        knob("bpfKubeProxyMinSyncPeriod", new Values.Duration(), "1s"),
        knob("bpfKubeProxyEndpointSlicesEnabled", new Values.Flag(), ""),
        knob("bpfKubeProxyHealthzPort", new Values.Range(0, Port.MAX), "10256"),
        knob("bpfPSNATPorts", new Values.Ports(), "20000:29999"),
        knob("bpfMapSizeNATFrontend", new Values.Range(1, Integer.MAX_VALUE), "65536"),
        knob("bpfMapSizeNATBackend", new Values.Range(1, Integer.MAX_VALUE), "262144"),
        knob("bpfMapSizeNATAffinity", new Values.Range(1, Integer.MAX_VALUE), "65536"),
        knob("bpfMapSizeRoute", new Values.Range(1, Integer.MAX_VALUE), "262144"),
        knob("bpfMapSizeConntrack", new Values.Range(1, Integer.MAX_VALUE), "512000"),
        knob("bpfMapSizePerCpuConntrack", new Values.Range(0, Integer.MAX_VALUE), "0"),
        knob(
            "bpfMapSizeConntrackScaling",
            Values.Words.of("Disabled", "DoubleIfFull"),
            "DoubleIfFull"),
        knob("bpfMapSizeConntrackCleanupQueue", new Values.Range(1, Integer.MAX_VALUE), "100000"),
        knob("bpfMapSizeIPSets", new Values.Range(1, Integer.MAX_VALUE), "1048576"),
        knob("bpfMapSizeIfState", new Values.Range(1, Integer.MAX_VALUE), "1000"),
        knob("bpfHostConntrackBypass", new Values.Flag(), "true"),
        knob("bpfEnforceRPF", Values.Words.of("Disabled", "Strict", "Loose"), "Loose"),
        knob("bpfPolicyDebugEnabled", new Values.Flag(), "true"),
        knob(
            "bpfForceTrackPacketsFromIfaces",
            new Values.Each(INTERFACE_FILTER, MAX_PREFIXES),
            "docker+"),
        knob("bpfDisableGROForIfaces", new Values.Regex(), ""),
        knob("bpfExcludeCIDRsFromNAT", new Values.Each(new Values.Network(), MAX_PREFIXES), ""),
        knob("bpfRedirectToPeer", Values.Words.of("L2Only", "Enabled", "Disabled"), "L2Only"),
        knob("bpfProfiling", Values.Words.of("Enabled", "Disabled"), "Disabled"),
        knob("bpfAttachType", Values.Words.of("TC", "TCX"), "TCX"),
        knob("bpfExportBufferSizeMB", new Values.Range(1, Integer.MAX_VALUE), "1"),
        knob("bpfJITHardening", Values.Words.of("Auto", "Strict"), "Auto"),
        knob("bpfConntrackLogLevel", Values.Words.of("Off", "Debug"), "Off"),
        knob("bpfConntrackCleanupMode", Values.Words.of("Auto", "Userspace", "BPFProgram"), "Auto"),
        knob("bpfConntrackTimeouts", new Values.Texts(), ""));
  }
}
