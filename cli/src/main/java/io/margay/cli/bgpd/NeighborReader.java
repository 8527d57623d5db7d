package io.margay.cli.bgpd;

import io.margay.bgp.bfd.BfdParameters;
import io.margay.bgp.fsm.ExpectedAs;
import io.margay.bgp.policy.ExportMode;
import io.margay.bgp.policy.ImportMode;
import io.margay.bgp.policy.LocalAs;
import io.margay.bgp.policy.MaxPrefix;
import io.margay.bgp.policy.NextHopMode;
import io.margay.bgp.policy.PeerPolicy;
import io.margay.bgp.policy.RouteFilter;
import io.margay.bgp.speaker.AddPathMode;
import io.margay.bgp.speaker.Connection;
import io.margay.bgp.speaker.PeerConfig;
import io.margay.bgp.speaker.Remote;
import io.margay.bgp.speaker.Timers;
import io.margay.bgp.transport.Password;
import io.margay.bgp.transport.Ttl;
import io.margay.cli.yaml.StrictYaml;
import io.margay.cli.yaml.YamlException;
import io.margay.model.net.Asn;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.net.ScopedAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The `neighbors` of a configuration file.
final class NeighborReader {

  private static final int MAX_PORT = 65_535;
  private static final int MAX_HOPS = 254;
  private static final int MAX_MULTIPLIER = 255;

  private final Asn ownAsn;
  private final Map<String, RouteFilter> filters;

  /// @param filters by name
  NeighborReader(Asn ownAsn, Map<String, RouteFilter> filters) {
    this.ownAsn = ownAsn;
    this.filters = filters;
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
        throw item.child(item.has("prefix") ? "prefix" : "address")
            .problem(neighbor.remote() + " is already " + earlier);
      }
      neighbors.add(neighbor);
    }
    return neighbors;
  }

  private PeerConfig neighbor(StrictYaml at) throws YamlException {
    at.mappingOf(
        "address",
        "prefix",
        "interface",
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
        "sendHoldTime",
        "connectRetry",
        "ttlSecurity",
        "multihop",
        "sourceAddress",
        "localAsNumber",
        "allowLocalAs",
        "nextHop",
        "maxPrefix",
        "routeReflectorClient",
        "addPath",
        "gracefulRestart",
        "bfd");
    ExpectedAs asn = expectedAs(at);
    Asn localAsn = at.has("localAsNumber") ? ConfigReader.asn(at.child("localAsNumber")) : ownAsn;
    PeerPolicy policy = policy(at, localAsn);
    PeerConfig.Builder neighbor = remote(at, asn, policy);
    Timers timers = timers(at);
    boolean isInternal = isInternal(asn, localAsn);
    neighbor.description(at.optional("description", "a text", text -> text).orElse(""));
    neighbor.port(at.number("port", Connection.DEFAULT_PORT, 1, MAX_PORT));
    neighbor.timers(timers);
    neighbor.ttl(ttl(at, isInternal));
    neighbor.password(password(at));
    neighbor.gracefulRestart(at.truth("gracefulRestart", true));
    neighbor.addPath(addPath(at));
    neighbor.bfd(bfd(at));
    if (at.truth("routeReflectorClient", false)) {
      if (asn instanceof ExpectedAs.External || asn instanceof ExpectedAs.Only && !isInternal) {
        throw at.child("routeReflectorClient")
            .problem("conflicts with asNumber " + asn + ": only peers of our AS are reflected to");
      }
      neighbor.routeReflectorClient(true);
    }
    if (at.has("families")) {
      neighbor.families(families(at.child("families")));
    }
    if (at.has("sourceAddress")) {
      neighbor.localAddress(
          at.child("sourceAddress").scalar("an IP address of this host", IpAddress::parse));
    }
    return FilterReader.checked(at, neighbor::build);
  }

  /// An AS number; for a range also who may come at all.
  private static ExpectedAs expectedAs(StrictYaml at) throws YamlException {
    StrictYaml value = at.child("asNumber");
    if (at.has("prefix") && value.isText()) {
      return value.scalar(
          "an AS number, external or any",
          text ->
              switch (text) {
                case "external" -> new ExpectedAs.External();
                case "any" -> new ExpectedAs.Any();
                default -> ExpectedAs.only(Asn.parse(text));
              });
    }
    return ExpectedAs.only(ConfigReader.asn(value));
  }

  /// Whether the session is within an AS; so is one of which nothing is known.
  private static boolean isInternal(ExpectedAs asn, Asn localAsn) {
    return switch (asn) {
      case ExpectedAs.Only(Asn one) -> one.equals(localAsn);
      case ExpectedAs.External() -> false;
      case ExpectedAs.Any() -> true;
    };
  }

  private static PeerConfig.Builder remote(StrictYaml at, ExpectedAs asn, PeerPolicy policy)
      throws YamlException {
    if (at.has("prefix")) {
      for (String key : List.of("address", "interface", "port")) {
        if (at.has(key)) {
          throw at.child(key).problem("conflicts with prefix: such neighbors connect to us");
        }
      }
      Prefix range = at.child("prefix").scalar("a prefix without host bits", Prefix::parse);
      if (!at.truth("passive", true)) {
        throw at.child("passive").problem("conflicts with prefix: such neighbors connect to us");
      }
      return PeerConfig.range(range, asn, policy);
    }
    StrictYaml where = at.child("address");
    ScopedAddress address =
        where.scalar("an IP address, like 10.0.0.2 or fe80::2%eth0", ScopedAddress::parse);
    Optional<InterfaceName> link =
        at.optional("interface", "an interface's name", InterfaceName::new);
    if (link.isPresent()) {
      boolean isLinkLocal = address.family() == IpFamily.IPV6 && address.address().isLinkLocal();
      if (!isLinkLocal) {
        throw at.child("interface")
            .problem("is only for a link-local address, which " + address + " is not");
      }
      if (address.scope() != null && !link.get().equals(address.scope())) {
        throw at.child("interface").problem("conflicts with address " + address);
      }
      address = new ScopedAddress(address.address(), link.get());
    }
    ScopedAddress peer = address;
    FilterReader.checked(where, () -> new Remote.At(peer));
    if (!(asn instanceof ExpectedAs.Only(Asn only))) {
      throw new IllegalStateException("only ranges have neighbors of any AS");
    }
    return PeerConfig.builder(peer, only, policy).passive(at.truth("passive", false));
  }

  private PeerPolicy policy(StrictYaml at, Asn localAsn) throws YamlException {
    PeerPolicy.Builder policy =
        PeerPolicy.builder()
            .importMode(
                at.optional(
                        "import",
                        "accept or reject",
                        text ->
                            switch (text) {
                              case "accept" -> ImportMode.ACCEPT;
                              case "reject" -> ImportMode.REJECT;
                              default -> throw new IllegalArgumentException(text);
                            })
                    .orElse(ImportMode.UNSTATED))
            .exportMode(
                at.optional(
                        "export",
                        "accept, own or reject",
                        text ->
                            switch (text) {
                              case "accept" -> ExportMode.ALL;
                              case "own" -> ExportMode.OWN;
                              case "reject" -> ExportMode.NONE;
                              default -> throw new IllegalArgumentException(text);
                            })
                    .orElse(ExportMode.UNSTATED))
            .filters(filters(at))
            .allowLocalAs(at.number("allowLocalAs", 0, 0, PeerPolicy.MAX_ALLOW_LOCAL_AS))
            .nextHop(
                at.optional(
                        "nextHop",
                        "auto, self or keep",
                        text ->
                            switch (text) {
                              case "auto" -> NextHopMode.AUTO;
                              case "self" -> NextHopMode.SELF;
                              case "keep" -> NextHopMode.KEEP;
                              default -> throw new IllegalArgumentException(text);
                            })
                    .orElse(NextHopMode.AUTO))
            .maxPrefix(maxPrefix(at));
    if (!localAsn.equals(ownAsn)) {
      policy.localAs(LocalAs.replacing(localAsn));
    }
    return policy.build();
  }

  private List<RouteFilter> filters(StrictYaml at) throws YamlException {
    List<RouteFilter> chosen = new ArrayList<>();
    if (at.has("filters")) {
      for (StrictYaml item : at.child("filters").items(0, "filter names")) {
        RouteFilter filter = filters.get(item.scalar("the name of a filter", text -> text));
        if (filter == null) {
          throw item.expected(
              filters.isEmpty()
                  ? "the name of a filter, and the top level has no filters"
                  : "one of " + String.join(", ", filters.keySet()));
        }
        chosen.add(filter);
      }
    }
    return chosen;
  }

  private static @Nullable MaxPrefix maxPrefix(StrictYaml at) throws YamlException {
    if (!at.has("maxPrefix")) {
      return null;
    }
    StrictYaml limit = at.child("maxPrefix").mappingOf("limit", "action", "warnPercent");
    if (!limit.has("limit")) {
      throw limit.child("limit").expected("a whole number of prefixes");
    }
    return new MaxPrefix(
        limit.number("limit", 1, 1, Integer.MAX_VALUE),
        limit
            .optional(
                "action",
                "warn, restart or discard",
                text ->
                    switch (text) {
                      case "warn" -> MaxPrefix.Action.WARN;
                      case "restart" -> MaxPrefix.Action.RESTART;
                      case "discard" -> MaxPrefix.Action.DISCARD;
                      default -> throw new IllegalArgumentException(text);
                    })
            .orElse(MaxPrefix.Action.RESTART),
        limit.number("warnPercent", MaxPrefix.DEFAULT_WARN_PERCENT, 1, 100));
  }

  private static Timers timers(StrictYaml at) throws YamlException {
    Duration hold = duration(at, "holdTime", Timers.DEFAULT_HOLD_TIME);
    Duration retry = duration(at, "connectRetry", Timers.DEFAULT_CONNECT_RETRY);
    // Each on its own first, so that the message names the key that is wrong.
    FilterReader.checked(
        at.child("holdTime"), () -> new Timers(hold, null, null, Timers.DEFAULT_CONNECT_RETRY));
    FilterReader.checked(
        at.child("connectRetry"), () -> new Timers(Timers.DEFAULT_HOLD_TIME, null, null, retry));
    Duration keepalive =
        at.optional("keepaliveTime", Durations.EXPECTATION, Durations::parse).orElse(null);
    FilterReader.checked(at.child("keepaliveTime"), () -> new Timers(hold, keepalive, null, retry));
    Duration sendHold =
        at.optional("sendHoldTime", Durations.EXPECTATION, Durations::parse).orElse(null);
    return FilterReader.checked(
        at.child("sendHoldTime"), () -> new Timers(hold, keepalive, sendHold, retry));
  }

  private static Duration duration(StrictYaml at, String key, Duration fallback)
      throws YamlException {
    return at.optional(key, Durations.EXPECTATION, Durations::parse).orElse(fallback);
  }

  private static Ttl ttl(StrictYaml at, boolean isInternal) throws YamlException {
    if (at.has("ttlSecurity")) {
      if (at.has("multihop")) {
        throw at.child("multihop")
            .problem("conflicts with ttlSecurity, which itself takes a number of hops");
      }
      if (!at.child("ttlSecurity").isTruth()) {
        return Ttl.secured(at.number("ttlSecurity", 1, 1, MAX_HOPS));
      }
      if (at.truth("ttlSecurity", false)) {
        return Ttl.secured(1);
      }
    }
    if (at.has("multihop") && !at.child("multihop").isTruth()) {
      return Ttl.multihop(at.number("multihop", Ttl.MAX, 1, Ttl.MAX));
    }
    return at.truth("multihop", isInternal) ? Ttl.multihop(Ttl.MAX) : Ttl.adjacent();
  }

  private static @Nullable Password password(StrictYaml at) throws YamlException {
    if (!at.has("password")) {
      return null;
    }
    StrictYaml value = at.child("password");
    String text = value.secret("a text of 1 to " + Password.MAX_OCTETS + " octets");
    return FilterReader.checked(value, () -> new Password(text));
  }

  private static AddPathMode addPath(StrictYaml at) throws YamlException {
    return at.optional(
            "addPath",
            "send, receive or both",
            text ->
                switch (text) {
                  case "send" -> AddPathMode.SEND;
                  case "receive" -> AddPathMode.RECEIVE;
                  case "both" -> AddPathMode.BOTH;
                  default -> throw new IllegalArgumentException(text);
                })
        .orElse(AddPathMode.NONE);
  }

  private static @Nullable BfdParameters bfd(StrictYaml at) throws YamlException {
    if (!at.has("bfd")) {
      return null;
    }
    StrictYaml given = at.child("bfd");
    if (given.isTruth()) {
      return at.truth("bfd", false) ? BfdParameters.DEFAULT : null;
    }
    given.mappingOf("interval", "multiplier");
    Duration interval = duration(given, "interval", BfdParameters.DEFAULT.interval());
    int multiplier =
        given.number("multiplier", BfdParameters.DEFAULT.multiplier(), 1, MAX_MULTIPLIER);
    return FilterReader.checked(
        given.child("interval"), () -> new BfdParameters(interval, multiplier));
  }

  private static Set<IpFamily> families(StrictYaml at) throws YamlException {
    Set<IpFamily> families = EnumSet.noneOf(IpFamily.class);
    for (StrictYaml item : at.items(1, "ipv4 and ipv6")) {
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
        throw item.problem(family + " is listed twice");
      }
    }
    return families;
  }
}
