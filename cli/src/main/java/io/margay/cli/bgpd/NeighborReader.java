package io.margay.cli.bgpd;

import io.margay.bgp.policy.ExportMode;
import io.margay.bgp.policy.ImportMode;
import io.margay.bgp.policy.PeerPolicy;
import io.margay.bgp.speaker.Connection;
import io.margay.bgp.speaker.PeerConfig;
import io.margay.bgp.speaker.Remote;
import io.margay.bgp.speaker.Timers;
import io.margay.bgp.transport.Password;
import io.margay.bgp.transport.Ttl;
import io.margay.cli.yaml.StrictYaml;
import io.margay.cli.yaml.YamlException;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.ScopedAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The `neighbors` of a configuration file.
final class NeighborReader {

  private static final int MAX_TTL = 255;
  private static final int MAX_PORT = 65_535;
  private static final Set<String> NOT_YET =
      Set.of(
          "prefix",
          "keepaliveTime",
          "ttlSecurity",
          "localAsNumber",
          "allowLocalAs",
          "nextHop",
          "maxPrefix",
          "routeReflectorClient",
          "addPath",
          "filters",
          "interface",
          "bfd");

  private final Asn localAsn;

  NeighborReader(Asn localAsn) {
    this.localAsn = localAsn;
  }

  List<PeerConfig> neighbors(StrictYaml at) throws YamlException {
    List<PeerConfig> neighbors = new ArrayList<>();
    if (at.isAbsent()) {
      return neighbors;
    }
    Map<Remote, String> seen = new HashMap<>();
    for (StrictYaml item : at.items(0, "neighbors")) {
      PeerConfig neighbor = neighbor(item);
      String earlier = seen.putIfAbsent(neighbor.remote(), item.path());
      if (earlier != null) {
        throw item.child("address").problem(neighbor.remote() + " is already " + earlier);
      }
      neighbors.add(neighbor);
    }
    return neighbors;
  }

  private PeerConfig neighbor(StrictYaml at) throws YamlException {
    at.mappingOf(
        "address",
        "prefix",
        "port",
        "asNumber",
        "description",
        "passive",
        "import",
        "export",
        "filters",
        "families",
        "password",
        "holdTime",
        "keepaliveTime",
        "connectRetry",
        "ttlSecurity",
        "multihop",
        "sourceAddress",
        "interface",
        "localAsNumber",
        "allowLocalAs",
        "nextHop",
        "maxPrefix",
        "routeReflectorClient",
        "addPath",
        "gracefulRestart",
        "bfd");
    for (String key : NOT_YET) {
      if (at.has(key)) {
        throw at.child(key).problem("is not served yet");
      }
    }
    IpAddress address = at.child("address").scalar("an IP address", IpAddress::parse);
    Asn asn = ConfigReader.asn(at.child("asNumber"));
    boolean external = !asn.equals(localAsn);
    boolean imports = accepts(at, "import", !external);
    boolean exports = accepts(at, "export", !external);
    Duration holdTime = holdTime(at);
    try {
      return PeerConfig.builder(
              ScopedAddress.of(address),
              asn,
              PeerPolicy.builder()
                  .importMode(imports ? ImportMode.ACCEPT : ImportMode.REJECT)
                  .exportMode(exports ? ExportMode.ALL : ExportMode.NONE)
                  .build())
          .description(at.optional("description", "a text", text -> text).orElse(""))
          .port(at.number("port", Connection.DEFAULT_PORT, 1, MAX_PORT))
          .localAddress(sourceAddress(at, address))
          .passive(at.truth("passive", false))
          .families(families(at, address.family()))
          .password(password(at))
          .holdTime(holdTime)
          .connectRetry(
              at.optional("connectRetry", Durations.EXPECTATION, Durations::parse)
                  .orElse(Timers.DEFAULT_CONNECT_RETRY))
          .ttl(Ttl.multihop(ttl(at, external)))
          .gracefulRestart(at.truth("gracefulRestart", true))
          .build();
    } catch (IllegalArgumentException impossible) {
      throw at.problem(String.valueOf(impossible.getMessage()));
    }
  }

  private static boolean accepts(StrictYaml at, String key, boolean fallback) throws YamlException {
    return at.optional(
            key,
            "accept or reject",
            text ->
                switch (text) {
                  case "accept" -> true;
                  case "reject" -> false;
                  default -> throw new IllegalArgumentException(text);
                })
        .orElse(fallback);
  }

  private static Duration holdTime(StrictYaml at) throws YamlException {
    return at.optional(
            "holdTime",
            "0, or whole seconds from 3s to 65535s",
            text -> {
              Duration time = Durations.parse(text);
              long seconds = time.toSeconds();
              if (!time.equals(Duration.ofSeconds(seconds))
                  || seconds == 1
                  || seconds == 2
                  || seconds > 65_535) {
                throw new IllegalArgumentException(text);
              }
              return time;
            })
        .orElse(Timers.DEFAULT_HOLD_TIME);
  }

  private static @Nullable IpAddress sourceAddress(StrictYaml at, IpAddress peer)
      throws YamlException {
    return at.optional(
            "sourceAddress",
            "an address of this host, of the neighbor's family",
            text -> {
              IpAddress source = IpAddress.parse(text);
              if (source.family() != peer.family()) {
                throw new IllegalArgumentException(text);
              }
              return source;
            })
        .orElse(null);
  }

  private static Set<IpFamily> families(StrictYaml at, IpFamily own) throws YamlException {
    if (!at.has("families")) {
      return EnumSet.of(own);
    }
    Set<IpFamily> families = EnumSet.noneOf(IpFamily.class);
    for (StrictYaml item : at.child("families").items(1, "ipv4 and ipv6")) {
      IpFamily family =
          item.scalar(
              "ipv4 or ipv6",
              text ->
                  switch (text) {
                    case "ipv4" -> IpFamily.IPV4;
                    case "ipv6" -> IpFamily.IPV6;
                    default -> throw new IllegalArgumentException(text);
                  });
      if (!families.add(family)) {
        throw item.problem("is listed twice");
      }
    }
    return families;
  }

  private static @Nullable Password password(StrictYaml at) throws YamlException {
    if (!at.has("password")) {
      return null;
    }
    StrictYaml value = at.child("password");
    try {
      return new Password(value.secret("a text of 1 to " + Password.MAX_OCTETS + " octets"));
    } catch (IllegalArgumentException impossible) {
      throw value.problem(String.valueOf(impossible.getMessage()));
    }
  }

  private static int ttl(StrictYaml at, boolean external) throws YamlException {
    if (!at.has("multihop")) {
      return external ? 1 : MAX_TTL;
    }
    StrictYaml multihop = at.child("multihop");
    if (multihop.isTruth()) {
      return at.truth("multihop", false) || !external ? MAX_TTL : 1;
    }
    return at.number("multihop", MAX_TTL, 1, MAX_TTL);
  }
}
