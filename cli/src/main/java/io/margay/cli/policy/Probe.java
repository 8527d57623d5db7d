package io.margay.cli.policy;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.resource.Protocol;
import io.margay.policy.oracle.Flow;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// A question: may this packet go from here to there?
///
/// @param from `namespace/pod` or an IP address
/// @param to likewise
/// @param protocol IP protocol number, or [#ICMP_OF_THE_FAMILY]
/// @param port where it goes to; 0 for protocols without ports
/// @param icmp type and code; null for an echo request
record Probe(String from, String to, int protocol, int port, Flow.@Nullable Icmp icmp) {

  /// ICMP or ICMPv6, as the addresses are.
  static final int ICMP_OF_THE_FAMILY = -1;

  private static final int ICMP = 1;
  private static final int ICMPV6 = 58;
  private static final int MAX_PROTOCOL = 255;
  private static final int MAX_PORT = 65_535;

  /// Reads a probe; fields beyond its own are the caller's.
  static Probe read(JsonNode json) throws ProbeException {
    if (!json.isObject()) {
      throw new ProbeException("a probe is an object with from, to, port and protocol");
    }
    Protocol protocol = protocol(json);
    boolean icmp = protocol.isIcmp();
    return new Probe(
        end(json, "from"),
        end(json, "to"),
        protocol.equals(Protocol.Named.ICMP) ? ICMP_OF_THE_FAMILY : protocol.number(),
        protocol.hasPorts() ? number(json.path("port"), "port", MAX_PORT) : 0,
        icmp && json.hasNonNull("icmp") ? icmp(json.path("icmp")) : null);
  }

  private static String end(JsonNode json, String field) throws ProbeException {
    JsonNode end = json.path(field);
    if (!end.isTextual() || end.asText().isEmpty()) {
      throw new ProbeException(field + " is required: \"namespace/pod\" or an IP address");
    }
    return end.asText();
  }

  /// By name in any case, or by number. TCP if there is a port, ICMP if only that is spoken of.
  private static Protocol protocol(JsonNode json) throws ProbeException {
    JsonNode given = json.path("protocol");
    if (given.isMissingNode() || given.isNull()) {
      return json.hasNonNull("icmp") && !json.hasNonNull("port")
          ? Protocol.Named.ICMP
          : Protocol.Named.TCP;
    }
    try {
      return given.isInt()
          ? new Protocol.Numbered(number(given, "protocol", MAX_PROTOCOL))
          : Protocol.parse(
              switch (given.asText().toUpperCase(Locale.ROOT)) {
                case "ICMPV6" -> "ICMPv6";
                case "UDPLITE" -> "UDPLite";
                case String other -> other;
              });
    } catch (IllegalArgumentException unknown) {
      throw new ProbeException(
          "protocol " + given + " is not TCP, UDP, SCTP, ICMP or a number of 1.." + MAX_PROTOCOL);
    }
  }

  private static Flow.Icmp icmp(JsonNode json) throws ProbeException {
    return new Flow.Icmp(
        number(json.path("type"), "icmp.type", MAX_PROTOCOL),
        json.hasNonNull("code") ? number(json.path("code"), "icmp.code", MAX_PROTOCOL) : 0);
  }

  private static int number(JsonNode json, String field, int most) throws ProbeException {
    if (!json.canConvertToInt() || !json.isIntegralNumber()) {
      throw new ProbeException(
          json.isMissingNode() || json.isNull()
              ? field + " is required: a number of 0.." + most
              : field + " " + json + " is not a number of 0.." + most);
    }
    int number = json.asInt();
    if (number < 0 || number > most) {
      throw new ProbeException(field + " " + number + " is not in 0.." + most);
    }
    return number;
  }

  /// The first packet of what is asked about.
  Flow flow(IpAddress source, IpAddress destination) {
    boolean four = source.family() == IpFamily.IPV4;
    int number = protocol == ICMP_OF_THE_FAMILY ? four ? ICMP : ICMPV6 : protocol;
    Flow.Icmp message = null;
    if (number == ICMP || number == ICMPV6) {
      Flow.Icmp echo = Flow.ping(source, destination).icmp();
      message = icmp == null ? echo : icmp;
    }
    return new Flow(
        source, destination, number, port == 0 ? 0 : Flow.EPHEMERAL_PORT, port, message);
  }
}
