package io.margay.it.bgp;

import java.util.List;

/// Our daemon's configuration file, as an operator would write it. Neighbors are flow mappings:
/// `{address: 10.203.1.2, asNumber: 65100, import: accept, export: accept}`.
record BgpdConfig(
    long asn,
    int port,
    String fib,
    List<String> originate,
    List<String> further,
    List<String> neighbors) {

  /// What our daemon originates unless a test says otherwise.
  static final String BLOCK4 = "10.65.0.0/26";

  static final String BLOCK6 = "fd00:10:65::/122";

  static final String COMMUNITY = "65001:100";

  static BgpdConfig with(String... neighbors) {
    return new BgpdConfig(
        Peering.OUR_ASN,
        179,
        "none",
        List.of(
            "{prefix: " + BLOCK4 + ", communities: [\"" + COMMUNITY + "\"]}",
            "{prefix: \"" + BLOCK6 + "\"}"),
        List.of(),
        List.of(neighbors));
  }

  /// The neighbor at link `number` over IPv4; `keys` are further keys with a leading comma each.
  static String neighbor(int number, long asn, String keys) {
    return neighbor(Lab.theirs(number), asn, keys);
  }

  static String neighbor(String address, long asn, String keys) {
    return "{address: \""
        + address
        + "\", asNumber: "
        + asn
        + ", import: accept, export: accept, holdTime: 9s, connectRetry: 2s"
        + keys
        + "}";
  }

  BgpdConfig neighbors(String... wanted) {
    return new BgpdConfig(asn, port, fib, originate, further, List.of(wanted));
  }

  BgpdConfig asn(long wanted) {
    return new BgpdConfig(wanted, port, fib, originate, further, neighbors);
  }

  BgpdConfig port(int wanted) {
    return new BgpdConfig(asn, wanted, fib, originate, further, neighbors);
  }

  BgpdConfig kernelFib() {
    return new BgpdConfig(asn, port, "kernel", originate, further, neighbors);
  }

  BgpdConfig originating(String... wanted) {
    return new BgpdConfig(asn, port, fib, List.of(wanted), further, neighbors);
  }

  /// Further top-level lines.
  BgpdConfig further(String... lines) {
    return new BgpdConfig(asn, port, fib, originate, List.of(lines), neighbors);
  }

  String yaml(String http) {
    StringBuilder text = new StringBuilder();
    text.append("asNumber: " + asn + "\nrouterId: 10.203.0.1\n");
    text.append("listen: [{address: 0.0.0.0, port: " + port + "}, ");
    text.append("{address: \"::\", port: " + port + "}]\n");
    text.append("fib: " + fib + "\nhttp: " + http + "\n");
    further.forEach(line -> text.append(line).append('\n'));
    text.append(originate.isEmpty() ? "originate: []\n" : "originate:\n");
    originate.forEach(route -> text.append("  - ").append(route).append('\n'));
    text.append(neighbors.isEmpty() ? "neighbors: []\n" : "neighbors:\n");
    neighbors.forEach(neighbor -> text.append("  - ").append(neighbor).append('\n'));
    return text.toString();
  }
}
