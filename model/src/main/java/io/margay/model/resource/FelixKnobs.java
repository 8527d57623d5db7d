package io.margay.model.resource;

import io.margay.model.net.IpFamily;
import io.margay.model.resource.KnobTable.Knob;
import io.margay.model.resource.KnobTable.Values;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The node agent's knobs that Calico documents: FelixConfiguration's fields, in the order of
/// Calico's structure (api/pkg/apis/projectcalico/v3/felixconfig.go, development towards v3.34),
/// which is that of the stored document. Most mean nothing here; they are checked all the same, for
/// the nodes that run Calico. Those that releases up to v3.32 had and later ones don't stand where
/// they stood.
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
  private static final Values CONNTRACK_TIMEOUT =
      new Values.Form(
          "a duration or Auto", Pattern.compile("([0-9]*(\\.[0-9]*)?(us|ms|s|m|h))+|Auto"));
  private static final Values CONNTRACK_TIMEOUTS =
      new Values.Fields(
          new KnobTable(
              Stream.of(
                      "creationGracePeriod",
                      "tcpSynSent",
                      "tcpEstablished",
                      "tcpFinsSeen",
                      "tcpResetSeen",
                      "udpTimeout",
                      "genericTimeout",
                      "icmpTimeout")
                  .map(name -> knob(name, CONNTRACK_TIMEOUT, ""))
                  .toList()),
          List.of());
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
                  process(),
                  rules(),
                  logs(),
                  tunnels(),
                  reports(),
                  hosts(),
                  routes(),
                  debugging(),
                  filters(),
                  bpf(),
                  bpfMaps(),
                  flows(),
                  tables(),
                  wireguard(),
                  lateOnes(),
                  placeless())
              .flatMap(List::stream)
              .toList());

  private FelixKnobs() {}

  private static Knob knob(String name, Values values, String ifAbsent) {
    return new Knob(name, values, ifAbsent);
  }

  private static List<Knob> process() {
    return List.of(
        knob("nodeSelector", new Values.NodeSelector(), ""),
        knob("useInternalDataplaneDriver", new Values.Flag(), "true"),
        knob("dataplaneDriver", new Values.Text(), "calico-iptables-plugin"),
        knob("dataplaneWatchdogTimeout", new Values.Duration(), "90s"),
        knob("ipv6Support", new Values.Flag(), "true"),
        knob("routeRefreshInterval", new Values.Duration(), "90s"),
        knob("interfaceRefreshInterval", new Values.Duration(), "90s"),
        knob("iptablesRefreshInterval", new Values.Duration(), "180s"),
        knob("iptablesPostWriteCheckInterval", new Values.Duration(), "1s"),
        knob("iptablesLockFilePath", new Values.Text(), "/run/xtables.lock"),
        knob("iptablesLockTimeout", new Values.Duration(), "0s"),
        knob("iptablesLockProbeInterval", new Values.Duration(), "50ms"),
        knob("featureDetectOverride", KEY_VALUES, ""),
        knob("featureGates", KEY_VALUES, ""),
        knob("ipsetsRefreshInterval", new Values.Duration(), "90s"),
        knob("maxIpsetSize", new Values.Range(0, Integer.MAX_VALUE), "1048576"),
        knob("iptablesBackend", Values.Words.of("Auto", "Legacy", "NFT"), "Auto"),
        knob("xdpRefreshInterval", new Values.Duration(), "90s"),
        knob("netlinkTimeout", new Values.Duration(), "10s"),
        knob("metadataAddr", new Values.Text(), "127.0.0.1"),
        knob("metadataPort", new Values.Range(0, Port.MAX), "8775"),
        knob("openstackRegion", new Values.Text(), ""),
        knob("interfacePrefix", new Values.Text(), "cali"),
        knob("interfaceExclude", new Values.Text(), "kube-ipvs0"));
  }

  private static List<Knob> rules() {
    return List.of(
        knob("chainInsertMode", Values.Words.of("Insert", "Append"), "Insert"),
        knob("defaultEndpointToHostAction", Values.Words.of("Drop", "Accept", "Return"), "Drop"),
        knob("iptablesFilterAllowAction", Values.Words.of("Accept", "Return"), "Accept"),
        knob("iptablesMangleAllowAction", Values.Words.of("Accept", "Return"), "Accept"),
        knob("iptablesFilterDenyAction", Values.Words.of("Drop", "Reject"), "Drop"));
  }

  private static List<Knob> logs() {
    return List.of(
        knob("logPrefix", new Values.Text(), "calico-packet"),
        knob("logActionRateLimit", new Values.Text(), ""),
        knob("logActionRateLimitBurst", new Values.Range(0, 9999), ""),
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
        knob("logDebugFilenameRegex", new Values.Regex(), ""));
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
        knob("allowVXLANPacketsFromWorkloads", new Values.Flag(), "false"),
        knob("allowIPIPPacketsFromWorkloads", new Values.Flag(), "false"));
  }

  private static List<Knob> reports() {
    return List.of(
        knob("reportingInterval", new Values.Duration(), "30s"),
        knob("reportingTTL", new Values.Duration(), "90s"),
        knob("endpointReportingEnabled", new Values.Flag(), "false"),
        knob("endpointReportingDelay", new Values.Duration(), "1s"),
        knob("endpointStatusPathPrefix", new Values.Text(), ""),
        knob("iptablesMarkMask", new Values.Range(0, MAX_MASK), "0xffff0000"),
        knob("disableConntrackInvalidCheck", new Values.Flag(), "false"),
        knob("healthEnabled", new Values.Flag(), "false"),
        knob("healthHost", new Values.Text(), "localhost"),
        knob("healthPort", new Values.Range(0, Port.MAX), "9099"),
        knob("healthTimeoutOverrides", new Values.Each(HEALTH_TIMEOUT, MAX_OVERRIDES), ""),
        knob("prometheusMetricsEnabled", new Values.Flag(), "false"),
        knob("prometheusMetricsHost", HOST, ""),
        knob("prometheusMetricsPort", new Values.Range(0, Port.MAX), "9091"),
        knob("prometheusGoMetricsEnabled", new Values.Flag(), "true"),
        knob("prometheusProcessMetricsEnabled", new Values.Flag(), "true"),
        knob("prometheusWireGuardMetricsEnabled", new Values.Flag(), "true"),
        knob("prometheusMetricsCAFile", new Values.Text(), ""),
        knob("prometheusMetricsCertFile", new Values.Text(), ""),
        knob("prometheusMetricsKeyFile", new Values.Text(), ""),
        knob(
            "prometheusMetricsClientAuth",
            Values.Words.of(
                "RequireAndVerifyClientCert",
                "RequireAnyClientCert",
                "VerifyClientCertIfGiven",
                "NoClientCert"),
            "NoClientCert"));
  }

  private static List<Knob> hosts() {
    return List.of(
        knob(
            "failsafeInboundHostPorts",
            new Values.Each(PROTO_PORT, MAX_FAILSAFE_PORTS),
            "tcp 22, 179, 2379, 2380, 5473, 6443, 6666, 6667; udp 68"),
        knob(
            "failsafeOutboundHostPorts",
            new Values.Each(PROTO_PORT, MAX_FAILSAFE_PORTS),
            "tcp 179, 2379, 2380, 5473, 6443, 6666, 6667; udp 53, 67"),
        knob("kubeNodePortRanges", new Values.Each(new Values.Ports(), 7), "30000:32767"),
        knob("policySyncPathPrefix", new Values.Text(), ""),
        knob("usageReportingEnabled", new Values.Flag(), "true"),
        knob("usageReportingInitialDelay", new Values.Duration(), "300s"),
        knob("usageReportingInterval", new Values.Duration(), "86400s"));
  }

  private static List<Knob> routes() {
    return List.of(
        knob("natPortRange", new Values.Ports(), ""),
        knob("natOutgoingAddress", new Values.Address(IpFamily.IPV4), ""),
        knob(
            "natOutgoingExclusions",
            Values.Words.of("IPPoolsOnly", "IPPoolsAndHostIPs"),
            "IPPoolsOnly"),
        knob("deviceRouteSourceAddress", new Values.Address(IpFamily.IPV4), ""),
        knob("deviceRouteSourceAddressIPv6", new Values.Address(IpFamily.IPV6), ""),
        knob("deviceRouteProtocol", new Values.Range(0, 255), "3"),
        knob("removeExternalRoutes", new Values.Flag(), "true"),
        knob(
            "programClusterRoutes",
            Values.Words.of("Enabled", "Disabled", "EnabledIPIPOnly", "EnabledNoEncapOnly"),
            ""),
        knob("ipForwarding", Values.Words.of("Enabled", "Disabled"), "Enabled"),
        knob("externalNodesList", new Values.Each(new Values.Network(), MAX_PREFIXES), ""));
  }

  private static List<Knob> debugging() {
    return List.of(
        knob("debugMemoryProfilePath", new Values.Text(), ""),
        knob("debugDisableLogDropping", new Values.Flag(), "false"),
        knob("debugSimulateCalcGraphHangAfter", new Values.Duration(), "0s"),
        knob("debugSimulateDataplaneHangAfter", new Values.Duration(), "0s"),
        knob("debugSimulateDataplaneApplyDelay", new Values.Duration(), "0s"),
        knob("debugHost", new Values.Text(), "localhost"),
        knob("debugPort", new Values.Range(0, Port.MAX), ""));
  }

  private static List<Knob> filters() {
    return List.of(
        knob("iptablesNATOutgoingInterfaceFilter", INTERFACE_FILTER, ""),
        knob("sidecarAccelerationEnabled", new Values.Flag(), "false"),
        knob("xdpEnabled", new Values.Flag(), "true"),
        knob("genericXDPEnabled", new Values.Flag(), "false"),
        knob("nftablesMode", Values.Words.of("Auto", "Enabled", "Disabled"), "Auto"),
        knob("nftablesRefreshInterval", new Values.Duration(), "180s"),
        knob("nftablesFilterAllowAction", Values.Words.of("Accept", "Return"), "Accept"),
        knob("nftablesMangleAllowAction", Values.Words.of("Accept", "Return"), "Accept"),
        knob("nftablesFilterDenyAction", Values.Words.of("Drop", "Reject"), "Drop"),
        knob("nftablesMarkMask", new Values.Range(0, MAX_MASK), "0xffff0000"));
  }

  private static List<Knob> bpf() {
    return List.of(
        knob("bpfEnabled", new Values.Flag(), "false"),
        knob(
            "bpfOverlayHostSourceIP",
            Values.Words.of("TunnelAddress", "HostAddress"),
            "TunnelAddress"),
        knob("bpfDisableUnprivileged", new Values.Flag(), "true"),
        knob("bpfJITHardening", Values.Words.of("Auto", "Strict"), "Auto"),
        knob("bpfLogLevel", Values.Words.of("Off", "Info", "Debug"), "Off"),
        knob("bpfConntrackLogLevel", Values.Words.of("Off", "Debug"), "Off"),
        knob("bpfConntrackMode", Values.Words.of("Auto", "Userspace", "BPFProgram"), "Userspace"),
        knob("bpfConntrackTimeouts", CONNTRACK_TIMEOUTS, ""),
        knob("bpfIPFragTimeout", new Values.Duration(), "net.ipv4.ipfrag_time"),
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
        knob("bpfPSNATPorts", new Values.Ports(), "20000:29999"));
  }

  private static List<Knob> bpfMaps() {
    return List.of(
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
        knob("bpfIPFragmentReassemblyEnabled", new Values.Flag(), "true"),
        knob("bpfEnforceRPF", Values.Words.of("Disabled", "Strict", "Loose"), "Loose"),
        knob("bpfPolicyDebugEnabled", new Values.Flag(), "true"),
        knob(
            "bpfForceTrackPacketsFromIfaces",
            new Values.Each(INTERFACE_FILTER, MAX_PREFIXES),
            "docker+"),
        knob("bpfDisableGROForIfaces", new Values.Regex(), ""),
        knob("bpfExcludeCIDRsFromNAT", new Values.Each(new Values.Network(), MAX_PREFIXES), ""),
        knob("bpfExportBufferSizeMB", new Values.Range(1, Integer.MAX_VALUE), "1"));
  }

  private static List<Knob> flows() {
    return List.of(
        knob("istioAmbientMode", Values.Words.of("Enabled", "Disabled"), "Disabled"),
        knob("istioDSCPMark", new Values.Dscp(), "23"),
        knob("cgroupV2Path", new Values.Text(), ""),
        knob("flowLogsPolicyEvaluationMode", Values.Words.of("None", "Continuous"), "Continuous"),
        knob("bpfRedirectToPeer", Values.Words.of("L2Only", "Enabled", "Disabled"), "Enabled"),
        knob("bpfAttachType", Values.Words.of("TC", "TCX"), "TCX"),
        knob("flowLogsFlushInterval", new Values.Duration(), "300s"),
        knob("flowLogsCollectorDebugTrace", new Values.Flag(), "false"),
        knob("flowLogsGoldmaneServer", new Values.Text(), ""),
        knob("flowLogsLocalReporter", Values.Words.of("Enabled", "Disabled"), "Disabled"),
        knob("bpfProfiling", Values.Words.of("Enabled", "Disabled"), "Disabled"));
  }

  private static List<Knob> tables() {
    return List.of(
        knob("routeSource", Values.Words.of("WorkloadIPs", "CalicoIPAM"), "CalicoIPAM"),
        knob("routeTableRanges", new Values.Each(TABLE_RANGE, MAX_TABLE_RANGES), ""),
        knob("routeTableRange", TABLE_RANGE, ""),
        knob("routeSyncDisabled", new Values.Flag(), "false"),
        knob("ipv4NormalRoutePriority", new Values.Range(1, FilterValidation.MAX_PRIORITY), "1024"),
        knob(
            "ipv4ElevatedRoutePriority", new Values.Range(1, FilterValidation.MAX_PRIORITY), "512"),
        knob("ipv6NormalRoutePriority", new Values.Range(1, FilterValidation.MAX_PRIORITY), "1024"),
        knob(
            "ipv6ElevatedRoutePriority", new Values.Range(1, FilterValidation.MAX_PRIORITY), "512"),
        knob("liveMigrationRouteConvergenceTime", new Values.Duration(), "30s"));
  }

  private static List<Knob> wireguard() {
    return List.of(
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
        knob("wireguardKeepAlive", new Values.Duration(), "0s"));
  }

  private static List<Knob> lateOnes() {
    return List.of(
        knob("awsSrcDstCheck", Values.Words.of("DoNothing", "Enable", "Disable"), "DoNothing"),
        knob("serviceLoopPrevention", Values.Words.of("Drop", "Reject", "Disabled"), "Drop"),
        knob("workloadSourceSpoofing", Values.Words.of("Disabled", "Any"), "Disabled"),
        knob(
            "mtuIfacePattern",
            new Values.Regex(),
            "^((en|wl|ww|sl|ib)[Pcopsvx].*|(eth|wlan|wwan).*)"),
        knob("floatingIPs", Values.Words.of("Enabled", "Disabled"), "Disabled"),
        knob(
            "localSubnetL2Reachability",
            Values.Words.of("Disabled", "PodsAndLoadBalancers"),
            "Disabled"),
        knob("localSubnetL2ReachabilityRefreshInterval", new Values.Duration(), "120s"),
        knob("windowsManageFirewallRules", Values.Words.of("Enabled", "Disabled"), "Disabled"),
        knob("goGCThreshold", new Values.Range(-1, Integer.MAX_VALUE), "40"),
        knob("goMemoryLimitMB", new Values.Range(-1, Integer.MAX_VALUE), "-1"),
        knob("goMaxProcs", new Values.Range(-1, Integer.MAX_VALUE), "-1"),
        knob("requireMTUFile", new Values.Flag(), "false"),
        knob("bpfMaglevMaxEndpointsPerService", new Values.Range(1, 3000), "100"),
        knob("bpfMaglevMaxServices", new Values.Range(1, 3000), "100"));
  }

  /// Where these stand in the structure is not known.
  private static List<Knob> placeless() {
    return List.of(knob("nftablesFlowTableOffload", new Values.Text(), "Disabled"));
  }
}
