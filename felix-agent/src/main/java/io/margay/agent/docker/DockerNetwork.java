package io.margay.agent.docker;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.linux.route.VethSpec;
import io.margay.model.resource.FieldError;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.Profile;
import io.margay.model.resource.ProfileSpec;
import io.margay.model.resource.ResourceValidator;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A network that somebody made with `docker network create --driver margay`. Docker tells a driver
/// neither its name nor its labels, so what we have to know is in its options.
///
/// @param id Docker's
/// @param profile that its endpoints have
/// @param labels of its endpoints
/// @param mtu of its endpoints' wires in octets; empty for the node's own
record DockerNetwork(String id, String profile, Map<String, String> labels, Optional<Integer> mtu) {

  /// What Calico's plugin put before labels.
  static final String LABEL_PREFIX = "org.projectcalico.label.";

  static final String DEFAULT_PROFILE = "libnetwork";

  private static final String PROFILE = "profile";
  private static final String MTU = "com.docker.network.driver.mtu";
  private static final String INTERNAL = "com.docker.network.internal";
  private static final String GENERIC = "com.docker.network.generic";

  DockerNetwork {
    labels = Map.copyOf(labels);
  }

  /// Reads the options of `NetworkDriver.CreateNetwork`.
  static DockerNetwork of(String id, JsonNode options) throws RefusedException {
    if (options.path(INTERNAL).asBoolean()) {
      throw new RefusedException(
          "--internal is not done by leaving routes out; deny what shall not pass by a"
              + " NetworkPolicy");
    }
    String profile = DEFAULT_PROFILE;
    Map<String, String> labels = new HashMap<>();
    Optional<Integer> mtu = Optional.empty();
    for (Map.Entry<String, JsonNode> option : options.path(GENERIC).properties()) {
      String key = option.getKey();
      String value = option.getValue().asText();
      if (key.startsWith(LABEL_PREFIX)) {
        labels.put(key.substring(LABEL_PREFIX.length()), value);
      } else {
        switch (key) {
          case PROFILE -> profile = value;
          case MTU -> mtu = Optional.of(mtu(value));
          default ->
              throw new RefusedException(
                  "option "
                      + key
                      + " is unknown; there are "
                      + PROFILE
                      + ", "
                      + MTU
                      + " and "
                      + LABEL_PREFIX
                      + "KEY");
        }
      }
    }
    check(profile, labels);
    return new DockerNetwork(id, profile, labels, mtu);
  }

  private static int mtu(String text) throws RefusedException {
    try {
      int mtu = Integer.parseInt(text);
      if (mtu >= VethSpec.MIN_MTU && mtu <= VethSpec.MAX_MTU) {
        return mtu;
      }
    } catch (NumberFormatException notNumber) {
      // Said below.
    }
    throw new RefusedException(
        "option "
            + MTU
            + ": "
            + text
            + " found, "
            + VethSpec.MIN_MTU
            + " to "
            + VethSpec.MAX_MTU
            + " expected");
  }

  /// An endpoint with a label or profile that the datastore does not take would be closed without a
  /// word.
  static void check(String profile, Map<String, String> labels) throws RefusedException {
    List<FieldError> errors =
        ResourceValidator.validate(
            new Profile(
                Metadata.named(profile), new ProfileSpec(List.of(), List.of(), labels, Map.of())));
    if (!errors.isEmpty()) {
      throw new RefusedException(
          errors.getFirst().path().startsWith("metadata")
              ? "profile \"" + profile + "\": " + errors.getFirst().message()
              : "labels " + labels + ": " + errors.getFirst().message());
    }
  }

  ObjectNode toJson() {
    ObjectNode json = DockerRequest.JSON.createObjectNode().put("id", id).put(PROFILE, profile);
    ObjectNode named = json.putObject("labels");
    labels.forEach(named::put);
    mtu.ifPresent(octets -> json.put("mtu", octets));
    return json;
  }

  static DockerNetwork parse(JsonNode json) throws IOException {
    if (!json.path("id").isTextual() || !json.path(PROFILE).isTextual()) {
      throw new IOException("id or profile is missing");
    }
    Map<String, String> labels = new HashMap<>();
    json.path("labels")
        .properties()
        .forEach(label -> labels.put(label.getKey(), label.getValue().asText()));
    return new DockerNetwork(
        json.path("id").asText(),
        json.path(PROFILE).asText(),
        labels,
        json.has("mtu") ? Optional.of(json.path("mtu").asInt()) : Optional.empty());
  }
}
