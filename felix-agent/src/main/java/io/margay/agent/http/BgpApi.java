package io.margay.agent.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.json.JsonMapper;
import io.margay.bgp.speaker.BgpSpeaker;
import io.margay.bgp.speaker.SpeakerStatus;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/// The speaker's part of `/api/v1`, the same for the agent and for bgpd (docs/api.md).
public final class BgpApi {

  private static final JsonMapper JSON = new JsonMapper();

  private final Supplier<Optional<BgpSpeaker>> speaker;
  private final InstantSource clock;

  /// @param speaker the speaker now; empty while there is none
  public BgpApi(Supplier<Optional<BgpSpeaker>> speaker, InstantSource clock) {
    this.speaker = speaker;
    this.clock = clock;
  }

  /// @param target path and query
  public Answer answer(String target, String accept) {
    int question = target.indexOf('?');
    String path = question < 0 ? target : target.substring(0, question);
    Optional<BgpSpeaker> now = speaker.get();
    return switch (path) {
      case "/api/v1/ready" ->
          json(now.isPresent() ? 200 : 503, Map.of("bgp", Map.of("ready", now.isPresent())));
      case "/api/v1/bgp/peers" ->
          json(
              200,
              BgpJson.peers(
                  now.map(BgpSpeaker::status).map(SpeakerStatus::peers).orElse(java.util.List.of()),
                  clock.instant()));
      case "/api/v1/bgp/routes" ->
          json(200, BgpJson.routes(now.map(BgpSpeaker::routes).orElse(java.util.List.of())));
      default ->
          new Answer(
              404,
              "text/plain",
              out -> out.write(("no such path: " + path + "\n").getBytes(UTF_8)));
    };
  }

  private static Answer json(int status, Object value) {
    return new Answer(status, Answer.JSON, out -> JSON.writeValue(out, value));
  }
}
