package io.margay.agent.docker;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;

/// A request's JSON. Docker leaves out what it has not, or says null.
record DockerRequest(JsonNode json) {

  static final JsonMapper JSON = new JsonMapper();

  private static final String OPTIONS = "Options";

  static DockerRequest parse(byte[] octets) throws RefusedException {
    if (octets.length == 0) {
      return new DockerRequest(JSON.createObjectNode());
    }
    try {
      JsonNode json = JSON.readTree(octets);
      if (json.isObject()) {
        return new DockerRequest(json);
      }
      throw new RefusedException("the request is no JSON object");
    } catch (JsonProcessingException malformed) {
      throw new RefusedException(
          "the request is not JSON: " + malformed.getOriginalMessage(), malformed);
    } catch (IOException impossible) {
      throw new RefusedException("the request can't be read", impossible);
    }
  }

  /// A text; empty when there is none.
  String text(String key) {
    return json.path(key).asText("");
  }

  String required(String key) throws RefusedException {
    String text = text(key);
    if (text.isEmpty()) {
      throw new RefusedException("the request lacks " + key);
    }
    return text;
  }

  boolean truth(String key) {
    return json.path(key).asBoolean();
  }

  JsonNode options() {
    return json.path(OPTIONS);
  }

  /// What is below a key; as if empty when there is nothing.
  DockerRequest below(String key) {
    return new DockerRequest(json.path(key));
  }
}
