package io.margay.cli.bgpd;

import io.margay.bgp.message.Community;
import io.margay.bgp.policy.RouteFilter;
import io.margay.bgp.speaker.Connection;
import io.margay.bgp.speaker.OriginatedRoute;
import io.margay.bgp.speaker.SpeakerConfig;
import io.margay.bgp.transport.ListenAddress;
import io.margay.cli.http.HttpAddress;
import io.margay.cli.yaml.StrictYaml;
import io.margay.cli.yaml.YamlException;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.net.RouterId;
import io.margay.model.net.ScopedAddress;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/// Configuration text → [BgpdConfig]: all that can be wrong with it is found here, before anything
/// is done with it.
final class ConfigReader {

  private static final int MAX_PORT = 65_535;

  private ConfigReader() {}

  static BgpdConfig parse(String source, String text) throws YamlException {
    StrictYaml root =
        StrictYaml.parse(source, text)
            .mappingOf(
                "asNumber",
                "routerId",
                "clusterId",
                "listen",
                "neighbors",
                "originate",
                "filters",
                "fib",
                "http",
                "maxPaths",
                "multipathRelax",
                "gracefulShutdown",
                "restartTime",
                "selectionDeferral");
    Asn asn = asn(root.child("asNumber"));
    RouterId routerId =
        root.child("routerId").scalar("an IPv4 address other than 0.0.0.0", RouterId::parse);
    Set<ListenAddress> listen = listen(root.child("listen"));
    SpeakerConfig speaker =
        SpeakerConfig.builder(asn, routerId)
            .clusterId(
                root.optional(
                        "clusterId", "an IPv4 address or a number, not zero", ConfigReader::id)
                    .orElse(routerId))
            .listen(listen)
            .multipath(
                new SpeakerConfig.Multipath(
                    root.truth("multipathRelax", true),
                    root.number(
                        "maxPaths",
                        SpeakerConfig.Multipath.DEFAULT_MAX_PATHS,
                        1,
                        SpeakerConfig.Multipath.LIMIT)))
            .restart(restart(root))
            .build();
    Map<String, RouteFilter> filters = FilterReader.filters(root.child("filters"));
    return new BgpdConfig(
        speaker,
        root.optional("fib", "none or kernel", ConfigReader::fib).orElse(FibMode.NONE),
        root.truth("gracefulShutdown", false),
        new NeighborReader(asn, filters).neighbors(root.child("neighbors")),
        originated(root.child("originate")),
        http(root, listen));
  }

  /// Offered to every neighbor, unless that one says otherwise. Forwarding outlives the process
  /// either way: kernel routes stay, and without them it was never in the path of packets.
  private static SpeakerConfig.Restart restart(StrictYaml root) throws YamlException {
    Duration time = duration(root, "restartTime", SpeakerConfig.Restart.DEFAULT_TIME);
    Duration deferral = duration(root, "selectionDeferral", SpeakerConfig.Restart.DEFAULT_DEFERRAL);
    return FilterReader.checked(
        root.child("restartTime"),
        () -> new SpeakerConfig.Restart(true, time, deferral, false, true));
  }

  /// An AS number a speaker can have.
  static Asn asn(StrictYaml at) throws YamlException {
    return at.wholeOrText(
        "an AS number, 1 to 4294967295 (the dotted form in quotes)",
        text -> {
          Asn asn = Asn.parse(text);
          if (asn.toLong() == 0) {
            throw new IllegalArgumentException("AS 0 is reserved (RFC 7607)");
          }
          return asn;
        });
  }

  private static RouterId id(String text) {
    return text.indexOf('.') >= 0
        ? RouterId.parse(text)
        : new RouterId(Integer.parseUnsignedInt(text));
  }

  private static FibMode fib(String text) {
    return switch (text) {
      case "none" -> FibMode.NONE;
      case "kernel" -> FibMode.KERNEL;
      default -> throw new IllegalArgumentException(text);
    };
  }

  private static Duration duration(StrictYaml root, String key, Duration fallback)
      throws YamlException {
    return root.optional(key, Durations.EXPECTATION, Durations::parse).orElse(fallback);
  }

  private static Set<ListenAddress> listen(StrictYaml at) throws YamlException {
    Set<ListenAddress> all = new LinkedHashSet<>();
    if (at.isAbsent()) {
      all.addAll(ListenAddress.everywhere(Connection.DEFAULT_PORT));
      return all;
    }
    List<StrictYaml> items = at.isList() ? at.items(0, "listen addresses") : List.of(at);
    for (StrictYaml item : items) {
      item.mappingOf("address", "port");
      int port = item.number("port", Connection.DEFAULT_PORT, 1, MAX_PORT);
      List<ListenAddress> added = ListenAddress.everywhere(port);
      if (item.has("address")) {
        StrictYaml where = item.child("address");
        ScopedAddress address = where.scalar("an IP address", ScopedAddress::parse);
        added = List.of(FilterReader.checked(where, () -> ListenAddress.of(address, port)));
      }
      for (ListenAddress one : added) {
        if (!all.add(one)) {
          throw item.problem(one + " is listed twice");
        }
      }
    }
    return all;
  }

  private static Optional<HttpAddress> http(StrictYaml root, Set<ListenAddress> listen)
      throws YamlException {
    Optional<HttpAddress> http =
        root.optional(
                "http",
                HttpAddress.EXPECTATION + ", or none",
                text ->
                    text.equals("none")
                        ? Optional.<HttpAddress>empty()
                        : Optional.of(HttpAddress.parse(text)))
            .flatMap(Function.identity());
    if (http.isPresent() && http.get() instanceof HttpAddress.Tcp(IpAddress host, int port)) {
      for (ListenAddress bgp : listen) {
        if (bgp.port() == port
            && bgp.address().family() == host.family()
            && (bgp.address().equals(host)
                || bgp.address().isUnspecified()
                || host.isUnspecified())) {
          throw root.child("http").problem("conflicts with listen " + bgp);
        }
      }
    }
    return http;
  }

  private static Set<OriginatedRoute> originated(StrictYaml at) throws YamlException {
    Set<OriginatedRoute> routes = new HashSet<>();
    Set<Prefix> seen = new HashSet<>();
    if (at.isAbsent()) {
      return routes;
    }
    for (StrictYaml item : at.items(0, "prefixes")) {
      StrictYaml prefixAt = item;
      Set<Community> communities = new HashSet<>();
      if (!item.isScalar()) {
        item.mappingOf("prefix", "communities");
        prefixAt = item.child("prefix");
        if (item.has("communities")) {
          for (StrictYaml one : item.child("communities").items(0, "communities")) {
            communities.add(one.scalar("a community like \"65001:100\"", Community::parse));
          }
        }
      }
      Prefix prefix = prefixAt.scalar("a prefix without host bits", Prefix::parse);
      if (!seen.add(prefix)) {
        throw prefixAt.problem(prefix + " is originated twice");
      }
      routes.add(new OriginatedRoute(prefix, communities));
    }
    return routes;
  }
}
