package io.margay.cli.install;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// A network configuration list.
///
/// @param json the document
record Conflist(ObjectNode json) {

  /// The plugin's type, and the name of its binary.
  static final String PLUGIN = "margay-cni";

  /// The IPAM plugin's.
  static final String IPAM = "margay-ipam";

  /// What a runtime uses that can't choose among `cniVersions`. With a later one it finds the
  /// plugin's answer to VERSION good and then refuses every result of ADD.
  static final String SCALAR_VERSION = "1.0.0";

  private static final Set<String> SCALAR_VERSIONS = Set.of("0.3.0", "0.3.1", "0.4.0", "1.0.0");

  private static final JsonMapper JSON = new JsonMapper();

  /// Reads a document, whatever it says.
  ///
  /// @throws IOException one line: why it is no JSON object
  static Conflist parse(byte[] content) throws IOException {
    try {
      if (JSON.readTree(content) instanceof ObjectNode document) {
        return new Conflist(document);
      }
    } catch (JacksonException notJson) {
      throw new IOException("not JSON: " + firstLine(notJson.getOriginalMessage()), notJson);
    }
    throw new IOException("not a JSON object");
  }

  private static String firstLine(String text) {
    return text.lines().findFirst().orElse("");
  }

  byte[] content() {
    return (json.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8);
  }

  String name() {
    return json.path("name").asText();
  }

  /// The binaries it needs in the plugin directory.
  Set<String> binaries() {
    Set<String> types = new LinkedHashSet<>();
    List<JsonNode> plugins = new ArrayList<>();
    json.path("plugins").forEach(plugins::add);
    plugins.add(json);
    for (JsonNode plugin : plugins) {
      types.add(plugin.path("type").asText());
      types.add(plugin.path("ipam").path("type").asText());
    }
    types.remove("");
    return types;
  }

  boolean isOurs() {
    return binaries().contains(PLUGIN);
  }

  /// Why runtimes could not use it for Margay's network; empty when they can.
  List<String> problems() {
    List<String> problems = new ArrayList<>();
    if (name().isEmpty()) {
      problems.add("key name: missing; runtimes refuse a list without one");
    }
    if (!isOurs()) {
      problems.add("no plugin of type " + PLUGIN + ": it is another network's");
    }
    String version = json.path("cniVersion").asText();
    if (!SCALAR_VERSIONS.contains(version)) {
      problems.add(
          "key cniVersion: \""
              + version
              + "\" found; write \""
              + SCALAR_VERSION
              + "\", and later ones into cniVersions: containerd 1.6 and podman 4 refuse results"
              + " of later ones");
    }
    return problems;
  }

  /// Where this one, found in place, is another than the wanted one: a line each.
  List<String> differences(Conflist wanted) {
    List<String> differences = new ArrayList<>();
    compare("", json, wanted.json, differences);
    return differences;
  }

  private static void compare(
      String path, JsonNode there, JsonNode wanted, List<String> differences) {
    if (there.equals(wanted)) {
      return;
    }
    if (there.isObject() && wanted.isObject()) {
      Set<String> keys = new LinkedHashSet<>();
      there.fieldNames().forEachRemaining(keys::add);
      wanted.fieldNames().forEachRemaining(keys::add);
      keys.forEach(
          key ->
              compare(
                  path.isEmpty() ? key : path + "." + key,
                  there.path(key),
                  wanted.path(key),
                  differences));
    } else if (there.isArray() && wanted.isArray() && there.size() == wanted.size()) {
      for (int i = 0; i < there.size(); i++) {
        compare(path + "[" + i + "]", there.get(i), wanted.get(i), differences);
      }
    } else {
      differences.add(path + ": " + shown(there) + " there, " + shown(wanted) + " in this release");
    }
  }

  private static String shown(JsonNode node) {
    return node.isMissingNode() ? "nothing" : node.toString();
  }
}
