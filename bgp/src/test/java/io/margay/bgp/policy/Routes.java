package io.margay.bgp.policy;

import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.Community;
import io.margay.bgp.message.NextHop;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.message.RouteAttributes;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.net.RouterId;
import io.margay.model.net.ScopedAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// A speaker in AS 65000 with peers around it, and routes to judge.
final class Routes {

  static final Asn OWN = new Asn(65000);
  static final Asn THEIRS = new Asn(65100);
  static final RouterId OWN_ID = RouterId.parse("1.1.1.1");
  static final SpeakerPolicy SPEAKER = SpeakerPolicy.of(OWN, OWN_ID);
  static final NextHop OWN_V4 = NextHop.of(IpAddress.parse("10.0.0.1"));
  static final NextHop OWN_V6 =
      new NextHop(IpAddress.parse("2001:db8::1"), IpAddress.parse("fe80::1"));
  static final PathAttribute IGP = new PathAttribute.Origin(PathAttribute.OriginCode.IGP);

  private Routes() {}

  static RouteSource source(PeerKind kind, int host) {
    return new RouteSource(
        ScopedAddress.parse("10.0.0." + host),
        kind.isInternal() ? OWN : THEIRS,
        RouterId.parse("9.9.9." + host),
        kind);
  }

  /// A session over 10.0.0.0/24 and 2001:db8::/64 with both families.
  static ExportSession session(PeerKind kind, int host) {
    return new ExportSession(
        ScopedAddress.parse("10.0.0." + host),
        kind.isInternal() ? OWN : THEIRS,
        RouterId.parse("9.9.9." + host),
        kind,
        Set.of(IpFamily.IPV4, IpFamily.IPV6),
        Map.of(IpFamily.IPV4, OWN_V4, IpFamily.IPV6, OWN_V6),
        Set.of(),
        Set.of(Prefix.parse("10.0.0.0/24"), Prefix.parse("2001:db8::/64")));
  }

  /// The same across routers: no subnet in common.
  static ExportSession multihop(PeerKind kind, int host) {
    ExportSession near = session(kind, host);
    return new ExportSession(
        near.peer(),
        near.asn(),
        near.routerId(),
        kind,
        near.families(),
        near.nextHops(),
        near.extendedNextHop(),
        Set.of());
  }

  static PathAttribute path(int... asns) {
    return new PathAttribute.AsPathAttribute(
        AsPath.of(Arrays.stream(asns).mapToObj(Asn::new).toArray(Asn[]::new)));
  }

  static PathAttribute communities(String... texts) {
    return new PathAttribute.Communities(Arrays.stream(texts).map(Community::parse).toList());
  }

  static RouteAttributes route(String nextHop, PathAttribute... attributes) {
    List<PathAttribute> all = new ArrayList<>(List.of(attributes));
    all.add(IGP);
    return new RouteAttributes(PathAttributes.of(all), NextHop.of(IpAddress.parse(nextHop)));
  }

  /// An intact route of the external peer.
  static RouteAttributes external(PathAttribute... more) {
    List<PathAttribute> all = new ArrayList<>(List.of(more));
    if (all.stream().noneMatch(PathAttribute.AsPathAttribute.class::isInstance)) {
      all.add(path(65100, 65200));
    }
    return route("10.0.0.9", all.toArray(PathAttribute[]::new));
  }
}
