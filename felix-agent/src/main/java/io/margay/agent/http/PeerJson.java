package io.margay.agent.http;

import com.fasterxml.jackson.core.JsonGenerator;
import io.margay.bgp.policy.MaxPrefix;
import io.margay.bgp.speaker.PeerConfig;
import io.margay.bgp.speaker.PeerStatus;
import io.margay.bgp.speaker.SessionPhase;
import io.margay.bgp.transport.Endpoints;
import io.margay.bgp.transport.Ttl;
import io.margay.model.net.Asn;
import io.margay.model.net.IpFamily;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// A peer as JSON (docs/api.md lists the keys).
final class PeerJson {

  private final JsonGenerator json;

  PeerJson(JsonGenerator json) {
    this.json = json;
  }

  void write(PeerStatus peer) throws IOException {
    json.writeStartObject();
    json.writeStringField("neighbor", peer.address().toString());
    json.writeStringField("desc", peer.description());
    json.writeBooleanField("dynamic", peer.isDynamic());
    Asn asn = peer.asn();
    if (asn != null) {
      json.writeNumberField("remoteAs", asn.toLong());
    }
    json.writeStringField("expectedAs", peer.expectedAs().toString());
    json.writeNumberField("localAs", peer.localAsn().toLong());
    json.writeStringField("state", state(peer.phase()));
    boolean isUp = peer.phase() == SessionPhase.ESTABLISHED;
    json.writeStringField("peerUptime", uptime(peer.age()));
    json.writeNumberField("peerUptimeMsec", isUp ? peer.age().toMillis() : 0);
    if (isUp) {
      json.writeNumberField("peerUptimeEstablishedEpoch", peer.since().getEpochSecond());
    }
    json.writeNumberField("sinceEpoch", peer.since().getEpochSecond());
    PeerStatus.Negotiation session = peer.session();
    if (session != null) {
      session(session);
    }
    configured(peer.config());
    families(peer.families());
    messages(peer);
    history(peer.history());
    if (peer.restart().waiting() != PeerStatus.Restart.Waiting.NONE) {
      json.writeStringField(
          "gracefulRestartWaiting",
          switch (peer.restart().waiting()) {
            case NONE -> "";
            case FOR_PEER -> "peer";
            case FOR_END_OF_RIB -> "endOfRib";
          });
      json.writeNumberField("gracefulRestartLeftMsec", peer.restart().left().toMillis());
    }
    String bfd = peer.bfd();
    if (bfd != null) {
      json.writeStringField("bfd", bfd);
    }
    json.writeEndObject();
  }

  private void session(PeerStatus.Negotiation session) throws IOException {
    Endpoints ends = session.endpoints();
    json.writeStringField("remoteRouterId", session.peerRouterId().toString());
    json.writeStringField("localAddress", ends.local().toString());
    json.writeNumberField("localPort", ends.localPort());
    json.writeStringField("remoteAddress", ends.remote().toString());
    json.writeNumberField("remotePort", ends.remotePort());
    json.writeStringField("openedBy", session.opened() ? "us" : "peer");
    json.writeBooleanField("internal", session.internal());
    json.writeNumberField("holdTimeMillis", session.holdTime().toMillis());
    json.writeNumberField("holdLeftMillis", session.holdLeft().toMillis());
    json.writeNumberField("keepaliveMillis", session.keepalive().toMillis());
    json.writeNumberField("keepaliveLeftMillis", session.keepaliveLeft().toMillis());
    json.writeNumberField("sendHoldMillis", session.sendHold().toMillis());
    texts("capabilitiesSent", session.capabilitiesSent());
    texts("capabilities", session.capabilities());
    families("addPathReceive", session.addPathReceive());
    families("addPathSend", session.addPathSend());
    families("extendedNextHop", session.extendedNextHop());
    json.writeBooleanField("gracefulRestart", session.gracefulRestart());
    json.writeBooleanField("notificationRestart", session.notificationRestart());
    json.writeBooleanField("peerRestarting", session.peerRestarting());
    json.writeNumberField("peerRestartTimeMillis", session.peerRestartTime().toMillis());
  }

  private void configured(PeerConfig config) throws IOException {
    json.writeObjectFieldStart("configured");
    json.writeStringField("remote", config.remote().toString());
    json.writeNumberField("port", config.connection().port());
    json.writeBooleanField("passive", config.connection().passive());
    if (config.connection().localAddress() != null) {
      json.writeStringField("sourceAddress", config.connection().localAddress().toString());
    }
    Ttl ttl = config.connection().ttl();
    json.writeNumberField("ttl", ttl.sent());
    if (ttl.leastReceived() > 0) {
      json.writeNumberField("leastTtlReceived", ttl.leastReceived());
    }
    json.writeBooleanField("password", config.connection().password() != null);
    json.writeNumberField("holdTimeMillis", config.timers().holdTime().toMillis());
    json.writeNumberField("connectRetryMillis", config.timers().connectRetry().toMillis());
    json.writeStringField("import", name(config.policy().importMode()));
    json.writeStringField("export", name(config.policy().exportMode()));
    texts("filters", config.policy().filters().stream().map(filter -> filter.name()).toList());
    json.writeStringField("nextHop", name(config.policy().nextHop()));
    json.writeBooleanField("routeReflectorClient", config.routeReflectorClient());
    MaxPrefix limit = config.policy().maxPrefix();
    if (limit != null) {
      json.writeObjectFieldStart("maxPrefix");
      json.writeNumberField("limit", limit.limit());
      json.writeStringField("action", name(limit.action()));
      json.writeNumberField("warnPercent", limit.warnPercent());
      json.writeEndObject();
    }
    json.writeEndObject();
  }

  private void families(Map<IpFamily, PeerStatus.FamilyStatus> families) throws IOException {
    json.writeObjectFieldStart("families");
    for (Map.Entry<IpFamily, PeerStatus.FamilyStatus> family : new TreeMap<>(families).entrySet()) {
      PeerStatus.FamilyStatus status = family.getValue();
      json.writeObjectFieldStart(BgpJson.name(family.getKey()));
      json.writeBooleanField("negotiated", status.negotiated());
      json.writeNumberField("pfxRcd", status.prefixesReceived());
      json.writeNumberField("pfxAcc", status.prefixesAccepted());
      json.writeNumberField("pfxBest", status.prefixesBest());
      json.writeNumberField("pfxSnt", status.prefixesAdvertised());
      json.writeNumberField("pfxStale", status.prefixesStale());
      json.writeNumberField("pfxDiscarded", status.prefixesDiscarded());
      json.writeNumberField("pfxToTell", status.prefixesToTell());
      json.writeBooleanField("endOfRibReceived", status.endOfRibReceived());
      json.writeBooleanField("endOfRibSent", status.endOfRibSent());
      optional("limit", status.limit());
      json.writeEndObject();
    }
    json.writeEndObject();
  }

  private void messages(PeerStatus peer) throws IOException {
    json.writeNumberField("msgRcvd", peer.received().total());
    json.writeNumberField("msgSent", peer.sent().total());
    json.writeNumberField("outqOctets", peer.sendQueueOctets());
    json.writeObjectFieldStart("messageStats");
    byType("received", peer.received());
    byType("sent", peer.sent());
    json.writeEndObject();
  }

  private void byType(String key, PeerStatus.Messages messages) throws IOException {
    json.writeObjectFieldStart(key);
    for (Map.Entry<String, Long> type : new TreeMap<>(messages.byType()).entrySet()) {
      json.writeNumberField(type.getKey(), type.getValue());
    }
    json.writeEndObject();
  }

  private void history(PeerStatus.History history) throws IOException {
    json.writeNumberField("connectionsEstablished", history.established());
    json.writeNumberField("connectionsDropped", history.dropped());
    PeerStatus.LastEnd reset = history.lastReset();
    if (reset != null) {
      json.writeStringField("lastResetReason", reset.reason());
      json.writeNumberField("lastResetEpoch", reset.at().getEpochSecond());
    }
    PeerStatus.LastEnd error = history.lastError();
    if (error != null) {
      json.writeStringField("lastError", error.reason());
      json.writeNumberField("lastErrorEpoch", error.at().getEpochSecond());
    }
    PeerStatus.Malformed malformed = history.malformed();
    json.writeNumberField("treatedAsWithdraw", malformed.treatedAsWithdraw());
    json.writeNumberField("attributesDiscarded", malformed.attributesDiscarded());
    PeerStatus.LastMalformed last = malformed.last();
    if (last != null) {
      json.writeObjectFieldStart("lastMalformed");
      json.writeStringField("outcome", last.outcome());
      json.writeStringField("problem", last.problem());
      json.writeStringField("hex", last.hex());
      json.writeNumberField("epoch", last.at().getEpochSecond());
      json.writeEndObject();
    }
  }

  private void optional(String key, @Nullable String value) throws IOException {
    if (value != null) {
      json.writeStringField(key, value);
    }
  }

  private void families(String key, Set<IpFamily> families) throws IOException {
    texts(key, new TreeSet<>(families).stream().map(BgpJson::name).toList());
  }

  private void texts(String key, Collection<String> values) throws IOException {
    json.writeArrayFieldStart(key);
    for (String value : values) {
      json.writeString(value);
    }
    json.writeEndArray();
  }

  private static String name(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }

  private static String state(SessionPhase phase) {
    return switch (phase) {
      case IDLE -> "Idle";
      case CONNECT -> "Connect";
      case ACTIVE -> "Active";
      case OPEN_SENT -> "OpenSent";
      case OPEN_CONFIRM -> "OpenConfirm";
      case ESTABLISHED -> "Established";
    };
  }

  /// `1d02h03m`, `02:03:04`: short, and as people know it from routers.
  private static String uptime(Duration time) {
    if (time.toDays() > 0) {
      return "%dd%02dh%02dm".formatted(time.toDays(), time.toHoursPart(), time.toMinutesPart());
    }
    return "%02d:%02d:%02d".formatted(time.toHours(), time.toMinutesPart(), time.toSecondsPart());
  }
}
