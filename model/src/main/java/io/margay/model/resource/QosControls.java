package io.margay.model.resource;

import io.margay.model.resource.KnobTable.Knob;
import io.margay.model.resource.KnobTable.Values;
import java.util.List;

/// The limits a workload endpoint's `qosControls` may set. 0 = no limit.
final class QosControls {

  private static final long MAX_BANDWIDTH = 1_000_000_000_000_000L;
  private static final long MAX_BURST = 34_359_738_360L;
  private static final long MAX_PEAKRATE = 1_010_000_000_000_000L;
  private static final long MAX_MINBURST = 100_000_000L;
  private static final long MAX_PACKETS = 10_000;
  private static final long MAX_CONNECTIONS = 4_294_967_295L;

  static final KnobTable TABLE =
      new KnobTable(
          List.of(
              limit("ingressBandwidth", 1000, MAX_BANDWIDTH, ""),
              limit("ingressBurst", 1000, MAX_BURST, "4294967296"),
              limit("ingressPeakrate", 1010, MAX_PEAKRATE, ""),
              limit("ingressMinburst", 1000, MAX_MINBURST, "the interface's MTU"),
              limit("egressBandwidth", 1000, MAX_BANDWIDTH, ""),
              limit("egressBurst", 1000, MAX_BURST, "4294967296"),
              limit("egressPeakrate", 1010, MAX_PEAKRATE, ""),
              limit("egressMinburst", 1000, MAX_MINBURST, "the interface's MTU"),
              limit("ingressPacketRate", 1, MAX_PACKETS, ""),
              limit("ingressPacketBurst", 1, MAX_PACKETS, "5"),
              limit("egressPacketRate", 1, MAX_PACKETS, ""),
              limit("egressPacketBurst", 1, MAX_PACKETS, "5"),
              limit("ingressMaxConnections", 1, MAX_CONNECTIONS, ""),
              limit("egressMaxConnections", 1, MAX_CONNECTIONS, ""),
              new Knob("dscp", new Values.Dscp(), "")));

  private QosControls() {}

  private static Knob limit(String name, long first, long last, String ifAbsent) {
    return new Knob(name, new Values.Limit(first, last), ifAbsent);
  }
}
