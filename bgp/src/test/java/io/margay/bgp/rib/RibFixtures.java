package io.margay.bgp.rib;

import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.NextHop;
import io.margay.bgp.message.Nlri;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.message.Update;
import io.margay.bgp.policy.ExportMode;
import io.margay.bgp.policy.ExportSession;
import io.margay.bgp.policy.ImportMode;
import io.margay.bgp.policy.OwnRanges;
import io.margay.bgp.policy.PeerKind;
import io.margay.bgp.policy.PeerPolicy;
import io.margay.bgp.policy.RouteSource;
import io.margay.bgp.policy.SpeakerPolicy;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Prefix;
import io.margay.model.net.RouterId;
import io.margay.model.net.ScopedAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// RIBs, sessions and messages for tests.
final class RibFixtures {

  static final Set<IpFamily> BOTH = Set.of(IpFamily.values());
  static final Asn LOCAL = new Asn(65001);
  static final Asn TOR = new Asn(65100);
  static final ScopedAddress TOR_A = ScopedAddress.parse("10.0.1.2");
  static final ScopedAddress TOR_B = ScopedAddress.parse("10.0.2.2");
  static final SpeakerPolicy SPEAKER =
      new SpeakerPolicy(
          LOCAL,
          RouterId.parse("1.1.1.1"),
          1,
          Set.of(IpAddress.parse("10.0.1.1")),
          OwnRanges.NONE,
          false,
          SpeakerPolicy.USUAL_LOCAL_PREF);
  static final DecisionRules RULES = new DecisionRules(true, 8);
  static final PathAttributes OWN =
      PathAttributes.of(
          new PathAttribute.Origin(PathAttribute.OriginCode.IGP),
          new PathAttribute.AsPathAttribute(AsPath.EMPTY));
  static final PeerPolicy ACCEPT_AND_TELL_OWN = policy(ImportMode.ACCEPT, ExportMode.OWN);
  static final PeerPolicy ACCEPT_AND_TELL_ALL = policy(ImportMode.ACCEPT, ExportMode.ALL);

  static final long SEED = 7;

  private RibFixtures() {}

  static PeerPolicy policy(ImportMode importMode, ExportMode exportMode) {
    return PeerPolicy.builder().importMode(importMode).exportMode(exportMode).build();
  }

  static Rib rib(boolean deferSelection) {
    return new Rib(SPEAKER, new RibSettings(RULES, deferSelection, false, SEED), null);
  }

  static Rib rib(DecisionRules rules, @Nullable ForwardingListener listener, boolean tracking) {
    return new Rib(SPEAKER, new RibSettings(rules, false, tracking, SEED), listener);
  }

  static void configure(Rib rib, PeerPolicy policy, ScopedAddress... peers) {
    Map<ScopedAddress, RibPeer> wanted = new LinkedHashMap<>();
    for (ScopedAddress peer : peers) {
      wanted.put(peer, new RibPeer(BOTH, policy));
    }
    rib.configure(wanted, false);
  }

  static RibSession session(ScopedAddress peer) {
    return session(peer, TOR, PeerKind.EBGP, false, Set.of(), Set.of());
  }

  static RibSession session(ScopedAddress peer, boolean restarting, Set<IpFamily> kept) {
    return session(peer, TOR, PeerKind.EBGP, restarting, kept, Set.of());
  }

  static RibSession session(
      ScopedAddress peer,
      Asn asn,
      PeerKind kind,
      boolean restarting,
      Set<IpFamily> kept,
      Set<IpFamily> addPathSend) {
    RouterId id =
        peer.address() instanceof Ipv4Address(int value)
            ? new RouterId(value)
            : new RouterId(peer.hashCode() | 1);
    return new RibSession(
        new RouteSource(peer, asn, id, kind),
        new ExportSession(
            peer,
            asn,
            id,
            kind,
            BOTH,
            Map.of(
                IpFamily.IPV4, NextHop.of(IpAddress.parse("10.0.1.1")),
                IpFamily.IPV6, NextHop.of(IpAddress.parse("fd00::1"))),
            Set.of(),
            Set.of()),
        BOTH,
        kept,
        restarting,
        addPathSend);
  }

  static PathAttributes attributes(AsPath path, PathAttribute... more) {
    PathAttributes all =
        PathAttributes.of(
            new PathAttribute.Origin(PathAttribute.OriginCode.IGP),
            new PathAttribute.AsPathAttribute(path));
    for (PathAttribute one : more) {
      all = all.with(one);
    }
    return all;
  }

  static Update announce(String nextHop, PathAttributes with, String... prefixes) {
    return Update.ofIpv4(
        List.of(),
        with,
        Ipv4Address.parse(nextHop),
        List.of(prefixes).stream().map(Prefix::parse).toList());
  }

  static Update announce(String nextHop, AsPath path, String... prefixes) {
    return announce(nextHop, attributes(path), prefixes);
  }

  static Update announce6(String nextHop, PathAttributes with, String... prefixes) {
    return Update.ofReachable(
        with,
        new PathAttribute.MpReach(
            AfiSafi.IPV6_UNICAST,
            IpAddress.parse(nextHop),
            null,
            Nlri.of(IpFamily.IPV6, List.of(prefixes).stream().map(Prefix::parse).toList())));
  }

  static Update withdraw(String... prefixes) {
    return Update.ofIpv4(
        List.of(prefixes).stream().map(Prefix::parse).toList(),
        PathAttributes.EMPTY,
        null,
        List.of());
  }

  /// What a peer is sent until it knows everything, as text: `+10.0.0.0/8 via 10.0.1.1 path 65001`,
  /// `-10.0.0.0/8`, `end IPV4`.
  static List<String> drain(Rib rib, ScopedAddress peer) {
    List<String> sent = new ArrayList<>();
    Optional<Rib.Batch> batch = rib.nextBatch(peer);
    while (batch.isPresent()) {
      for (Rib.Group group : batch.get().groups()) {
        for (int i = 0; i < group.nlri().size(); i++) {
          int id = group.nlri().pathId(i);
          sent.add(
              (group.route() == null ? "-" : "+")
                  + group.nlri().prefix(i)
                  + (id == 0 ? "" : "#" + id)
                  + (group.route() == null
                      ? ""
                      : " via "
                          + group.route().nextHop()
                          + " path "
                          + group.route().attributes().asPath()));
        }
      }
      batch.get().endOfRib().forEach(family -> sent.add("end " + family));
      batch = rib.nextBatch(peer);
    }
    return sent;
  }

  /// The next hops traffic to a prefix is shared over, as text.
  static String hops(Rib rib, String prefix) {
    return rib.reader().route(Prefix.parse(prefix)).stream()
        .flatMap(known -> known.paths().stream())
        .filter(
            path ->
                path.source() != null
                    && (path.standing() == KnownRoute.Standing.BEST
                        || path.standing() == KnownRoute.Standing.MULTIPATH))
        .map(path -> path.received().nextHop().toString())
        .sorted()
        .toList()
        .toString();
  }
}
