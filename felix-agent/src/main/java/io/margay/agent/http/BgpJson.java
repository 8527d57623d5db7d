package io.margay.agent.http;

import com.fasterxml.jackson.core.JsonGenerator;
import io.margay.bgp.message.NextHop;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.message.RouteAttributes;
import io.margay.bgp.policy.ExportVerdict;
import io.margay.bgp.rib.TableCounts;
import io.margay.bgp.speaker.AdvertisedStatus;
import io.margay.bgp.speaker.RouteDetail;
import io.margay.bgp.speaker.RouteStatus;
import io.margay.bgp.speaker.RouteStatus.PathStatus;
import io.margay.bgp.speaker.SessionPhase;
import io.margay.bgp.speaker.SpeakerStatus;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.RouterId;
import io.margay.model.net.ScopedAddress;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The speaker's snapshots as JSON, one value at a time. Keys are those FRR uses for the same
/// thing, where it has one (docs/api.md lists them).
final class BgpJson {

  private BgpJson() {}

  /// A family as keys and parameters name it.
  static String name(IpFamily family) {
    return switch (family) {
      case IPV4 -> "ipv4";
      case IPV6 -> "ipv6";
    };
  }

  static void summary(JsonGenerator json, SpeakerStatus speaker, Map<IpFamily, TableCounts> tables)
      throws IOException {
    long established =
        speaker.peers().stream().filter(peer -> peer.phase() == SessionPhase.ESTABLISHED).count();
    json.writeStartObject();
    json.writeNumberField("as", speaker.asn().toLong());
    json.writeStringField("routerId", speaker.routerId().toString());
    json.writeStringField("clusterId", speaker.clusterId().toString());
    json.writeBooleanField("gracefulShutdown", speaker.gracefulShutdown());
    json.writeNumberField("peerCount", speaker.peers().size());
    json.writeNumberField("failedPeers", speaker.peers().size() - established);
    json.writeNumberField("originated", speaker.originated());
    json.writeArrayFieldStart("awaitingEndOfRib");
    for (IpFamily family : IpFamily.values()) {
      if (speaker.awaitingEndOfRib().contains(family)) {
        json.writeString(name(family));
      }
    }
    json.writeEndArray();
    json.writeObjectFieldStart("families");
    for (Map.Entry<IpFamily, TableCounts> table : new TreeMap<>(tables).entrySet()) {
      TableCounts counts = table.getValue();
      json.writeObjectFieldStart(name(table.getKey()));
      json.writeNumberField("prefixes", counts.prefixes());
      json.writeNumberField("paths", counts.paths());
      json.writeNumberField("best", counts.best());
      json.writeNumberField("originated", counts.originated());
      json.writeEndObject();
    }
    json.writeEndObject();
    json.writeEndObject();
  }

  /// @param peer whose paths to show; absent: everybody's
  static void route(JsonGenerator json, RouteStatus route, @Nullable ScopedAddress peer)
      throws IOException {
    json.writeStartObject();
    paths(json, route, peer);
    json.writeEndObject();
  }

  private static void paths(JsonGenerator json, RouteStatus route, @Nullable ScopedAddress peer)
      throws IOException {
    json.writeStringField("prefix", route.prefix().toString());
    json.writeArrayFieldStart("paths");
    for (PathStatus path : route.paths()) {
      if (peer == null || peer.equals(path.peer())) {
        path(json, path);
      }
    }
    json.writeEndArray();
  }

  private static void path(JsonGenerator json, PathStatus path) throws IOException {
    json.writeStartObject();
    ScopedAddress peer = path.peer();
    if (peer != null) {
      json.writeStringField("peer", peer.toString());
    }
    if (path.pathId() != 0) {
      json.writeNumberField("pathId", Integer.toUnsignedLong(path.pathId()));
    }
    json.writeStringField("role", path.role().name().toLowerCase(Locale.ROOT));
    json.writeStringField("reason", path.reason());
    RouteAttributes accepted = path.accepted();
    RouteAttributes shown = accepted == null ? path.received() : accepted;
    attributes(json, shown, peer == null);
    if (accepted != null && peer != null && !accepted.equals(path.received())) {
      json.writeObjectFieldStart("received");
      attributes(json, path.received(), false);
      json.writeEndObject();
    }
    json.writeBooleanField("stale", path.stale());
    json.writeNumberField("sinceEpoch", path.since().getEpochSecond());
    if (path.metric().isPresent()) {
      json.writeNumberField("igpMetric", path.metric().getAsLong());
    }
    json.writeEndObject();
  }

  static void advertised(JsonGenerator json, AdvertisedStatus told) throws IOException {
    json.writeStartObject();
    json.writeStringField("prefix", told.prefix().toString());
    if (told.pathId() != 0) {
      json.writeNumberField("pathId", Integer.toUnsignedLong(told.pathId()));
    }
    attributes(json, told.route(), false);
    json.writeEndObject();
  }

  private static void attributes(JsonGenerator json, RouteAttributes route, boolean isOwn)
      throws IOException {
    PathAttributes attributes = route.attributes();
    if (!isOwn) {
      NextHop nextHop = route.nextHop();
      json.writeStringField("nextHop", nextHop.address().toString());
      if (nextHop.linkLocal() != null) {
        json.writeStringField("nextHopLinkLocal", nextHop.linkLocal().toString());
      }
    }
    json.writeStringField("asPath", attributes.asPath().toString());
    json.writeStringField("origin", attributes.origin().name());
    if (attributes.hasMed()) {
      json.writeNumberField("med", attributes.med());
    }
    if (attributes.hasLocalPref()) {
      json.writeNumberField("locPrf", attributes.localPref());
    }
    texts(json, "communities", attributes.communities().communities());
    texts(json, "largeCommunities", attributes.largeCommunities().communities());
    List<Long> extended = attributes.extendedCommunities().communities();
    if (!extended.isEmpty()) {
      texts(json, "extendedCommunities", extended.stream().map("0x%016x"::formatted).toList());
    }
    RouterId originator = attributes.originatorId();
    if (originator != null) {
      json.writeStringField("originatorId", originator.toString());
    }
    texts(
        json,
        "clusterList",
        attributes.clusterList().clusters().stream().map(Ipv4Address::new).toList());
  }

  /// An empty list is left out, but for communities, which somebody may rely on.
  private static void texts(JsonGenerator json, String key, List<?> values) throws IOException {
    if (values.isEmpty() && !key.equals("communities")) {
      return;
    }
    json.writeArrayFieldStart(key);
    for (Object value : values) {
      json.writeString(value.toString());
    }
    json.writeEndArray();
  }

  /// All paths to a prefix, and who is told of the winner.
  static void detail(JsonGenerator json, RouteDetail detail) throws IOException {
    json.writeStartObject();
    paths(json, detail.route(), null);
    json.writeArrayFieldStart("advertisedTo");
    for (Map.Entry<ScopedAddress, ExportVerdict> peer : detail.exports().entrySet()) {
      if (peer.getValue() instanceof ExportVerdict.Announced(RouteAttributes route, String by)) {
        json.writeStartObject();
        json.writeStringField("peer", peer.getKey().toString());
        attributes(json, route, false);
        json.writeStringField("by", by);
        json.writeEndObject();
      }
    }
    json.writeEndArray();
    json.writeArrayFieldStart("notAdvertisedTo");
    for (Map.Entry<ScopedAddress, ExportVerdict> peer : detail.exports().entrySet()) {
      if (peer.getValue() instanceof ExportVerdict.Withheld withheld) {
        json.writeStartObject();
        json.writeStringField("peer", peer.getKey().toString());
        json.writeStringField("reason", withheld.reason().toString());
        json.writeStringField("detail", withheld.detail());
        json.writeEndObject();
      }
    }
    json.writeEndArray();
    json.writeEndObject();
  }
}
