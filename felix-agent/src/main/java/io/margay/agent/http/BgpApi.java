package io.margay.agent.http;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.StreamWriteFeature;
import io.margay.bgp.rib.RouteKind;
import io.margay.bgp.rib.TableCounts;
import io.margay.bgp.speaker.BgpSpeaker;
import io.margay.bgp.speaker.PeerStatus;
import io.margay.bgp.speaker.RouteDetail;
import io.margay.bgp.speaker.RouteQuery;
import io.margay.bgp.speaker.SpeakerStatus;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.net.ScopedAddress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The speaker's part of `/api/v1`, the same for the agent and for bgpd (docs/api.md). Each answer
/// asks the speaker while it is written: a listing of a million routes exists one page at a time.
public final class BgpApi {

  /// Where all of it is.
  public static final String ROOT = "/api/v1/bgp/";

  private static final JsonFactory JSON =
      JsonFactory.builder().disable(StreamWriteFeature.AUTO_CLOSE_TARGET).build();

  private final Supplier<Optional<BgpSpeaker>> speaker;

  /// @param speaker the speaker now; empty while there is none
  public BgpApi(Supplier<Optional<BgpSpeaker>> speaker) {
    this.speaker = speaker;
  }

  /// A request that can't be answered as it is.
  private static final class BadRequest extends Exception {
    private static final long serialVersionUID = 1L;
    private final int status;

    BadRequest(int status, String message) {
      super(message);
      this.status = status;
    }
  }

  /// Writes one JSON value.
  private interface Value {
    void write(JsonGenerator json) throws IOException;
  }

  /// @param target path and query: `/api/v1/bgp/routes?family=ipv4`
  public Answer answer(String target) {
    int mark = target.indexOf('?');
    String path = mark < 0 ? target : target.substring(0, mark);
    try {
      Map<String, String> query = query(mark < 0 ? "" : target.substring(mark + 1));
      return answer(path.startsWith(ROOT) ? path.substring(ROOT.length()) : "", query);
    } catch (BadRequest bad) {
      String message = String.valueOf(bad.getMessage());
      return json(
          bad.status,
          json -> {
            json.writeStartObject();
            json.writeStringField("error", message);
            json.writeEndObject();
          });
    }
  }

  private Answer answer(String path, Map<String, String> query) throws BadRequest {
    if (path.startsWith("peers/")) {
      only(query, Set.of());
      return peer(parameter("peer", decoded(path.substring(6)), ScopedAddress::parse));
    }
    return switch (path) {
      case "peers" -> {
        only(query, Set.of());
        yield peers();
      }
      case "summary" -> {
        only(query, Set.of());
        yield summary();
      }
      case "routes" -> {
        only(query, Set.of("family", "peer", "kind", "prefix"));
        yield routes(routeQuery(query));
      }
      case "rib" -> {
        only(query, Set.of("lookup", "prefix"));
        yield rib(query);
      }
      default ->
          throw new BadRequest(
              404,
              "no such path; there are peers, peers/ADDRESS, summary, routes and rib under "
                  + ROOT);
    };
  }

  private Answer summary() {
    Optional<BgpSpeaker> now = speaker.get();
    if (now.isEmpty()) {
      return json(
          200,
          json -> {
            json.writeStartObject();
            json.writeEndObject();
          });
    }
    SpeakerStatus status = now.get().status();
    Map<IpFamily, TableCounts> tables = new EnumMap<>(IpFamily.class);
    for (IpFamily family : IpFamily.values()) {
      tables.put(family, now.get().table(family));
    }
    return json(200, json -> BgpJson.summary(json, status, tables));
  }

  private List<PeerStatus> status() {
    return speaker.get().map(BgpSpeaker::status).map(SpeakerStatus::peers).orElse(List.of());
  }

  private Answer peers() {
    List<PeerStatus> peers = status();
    return json(
        200,
        json -> {
          PeerJson writer = new PeerJson(json);
          json.writeStartArray();
          for (PeerStatus peer : peers) {
            writer.write(peer);
          }
          json.writeEndArray();
        });
  }

  private Answer peer(ScopedAddress address) throws BadRequest {
    PeerStatus peer =
        status().stream()
            .filter(one -> one.address().equals(address))
            .findFirst()
            .orElseThrow(() -> new BadRequest(404, "no peer " + address));
    return json(200, json -> new PeerJson(json).write(peer));
  }

  private static RouteQuery routeQuery(Map<String, String> query) throws BadRequest {
    Set<IpFamily> families = EnumSet.allOf(IpFamily.class);
    if (query.containsKey("family")) {
      IpFamily one =
          parameter(
              "family",
              query.get("family"),
              text ->
                  switch (text) {
                    case "ipv4" -> IpFamily.IPV4;
                    case "ipv6" -> IpFamily.IPV6;
                    default -> throw new IllegalArgumentException(text + " is not ipv4 or ipv6");
                  });
      families.retainAll(Set.of(one));
    }
    RouteKind kind = RouteKind.RECEIVED;
    if (query.containsKey("kind")) {
      kind =
          parameter(
              "kind",
              query.get("kind"),
              text -> {
                for (RouteKind one : RouteKind.values()) {
                  if (one.name().toLowerCase(Locale.ROOT).equals(text)) {
                    return one;
                  }
                }
                throw new IllegalArgumentException(
                    text + " is not received, accepted, rejected, best or advertised");
              });
    }
    ScopedAddress peer =
        query.containsKey("peer")
            ? parameter("peer", query.get("peer"), ScopedAddress::parse)
            : null;
    Prefix within =
        query.containsKey("prefix")
            ? parameter("prefix", query.get("prefix"), Prefix::parse)
            : null;
    if (within != null) {
      families.retainAll(Set.of(within.family()));
    }
    try {
      return new RouteQuery(kind, families, peer, within);
    } catch (IllegalArgumentException incomplete) {
      throw new BadRequest(400, String.valueOf(incomplete.getMessage()));
    }
  }

  private Answer routes(RouteQuery query) {
    Optional<BgpSpeaker> now = speaker.get();
    return json(
        200,
        json -> {
          json.writeStartArray();
          if (now.isPresent()) {
            try {
              list(now.get(), query, json);
            } catch (UncheckedIOException readerLeft) {
              throw readerLeft.getCause();
            }
          }
          json.writeEndArray();
        });
  }

  private static void list(BgpSpeaker speaker, RouteQuery query, JsonGenerator json) {
    ScopedAddress peer = query.peer();
    if (query.kind() != RouteKind.ADVERTISED || peer == null) {
      speaker.routes(query, route -> unchecked(() -> BgpJson.route(json, route, peer)));
      return;
    }
    for (IpFamily family : query.families()) {
      speaker.advertised(
          peer,
          family,
          told -> {
            if (query.within() == null || query.within().contains(told.prefix())) {
              unchecked(() -> BgpJson.advertised(json, told));
            }
          });
    }
  }

  private interface Writing {
    void run() throws IOException;
  }

  private static void unchecked(Writing writing) {
    try {
      writing.run();
    } catch (IOException readerLeft) {
      throw new UncheckedIOException(readerLeft);
    }
  }

  private Answer rib(Map<String, String> query) throws BadRequest {
    if (query.size() != 1) {
      throw new BadRequest(400, "expected either lookup=ADDRESS or prefix=PREFIX");
    }
    Optional<BgpSpeaker> now = speaker.get();
    Optional<RouteDetail> found;
    if (query.containsKey("lookup")) {
      IpAddress address = parameter("lookup", query.get("lookup"), IpAddress::parse);
      found = now.flatMap(speaker -> speaker.lookup(address));
    } else {
      Prefix prefix = parameter("prefix", query.get("prefix"), Prefix::parse);
      found = now.flatMap(speaker -> speaker.route(prefix));
    }
    RouteDetail detail =
        found.orElseThrow(
            () -> new BadRequest(404, "no route for " + query.values().iterator().next()));
    return json(200, json -> BgpJson.detail(json, detail));
  }

  private static Answer json(int status, Value value) {
    return new Answer(
        status,
        Answer.JSON,
        out -> {
          try (JsonGenerator json = JSON.createGenerator(out)) {
            value.write(json);
          }
        });
  }

  private static Map<String, String> query(String text) throws BadRequest {
    Map<String, String> query = new TreeMap<>();
    for (String pair : text.isEmpty() ? new String[0] : text.split("&", -1)) {
      int equals = pair.indexOf('=');
      if (equals < 1
          || query.put(pair.substring(0, equals), decoded(pair.substring(equals + 1))) != null) {
        throw new BadRequest(400, "expected each of name=value once, got " + pair);
      }
    }
    return query;
  }

  private static void only(Map<String, String> query, Set<String> known) throws BadRequest {
    for (String name : query.keySet()) {
      if (!known.contains(name)) {
        throw new BadRequest(
            400,
            "unknown parameter "
                + name
                + (known.isEmpty()
                    ? "; there is none here"
                    : "; there are " + String.join(", ", known.stream().sorted().toList())));
      }
    }
  }

  private static String decoded(String text) throws BadRequest {
    try {
      // An address with an interface has a % that nobody escapes.
      String escaped = text.replaceAll("%(?![0-9a-fA-F]{2})", "%25");
      return URLDecoder.decode(escaped.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException malformed) {
      throw new BadRequest(400, "malformed escapes in " + text);
    }
  }

  private static <T> T parameter(String name, @Nullable String text, Function<String, T> parse)
      throws BadRequest {
    try {
      return parse.apply(text == null ? "" : text);
    } catch (IllegalArgumentException refused) {
      throw new BadRequest(400, name + ": " + refused.getMessage());
    }
  }
}
