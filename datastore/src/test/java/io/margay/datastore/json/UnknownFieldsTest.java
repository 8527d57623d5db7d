package io.margay.datastore.json;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.model.resource.Resource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// A field this version has no name for, put into every object of every example, comes back where
/// it was and is reported.
class UnknownFieldsTest {

  private static final ObjectMapper PLAIN = new ObjectMapper();
  private static final String FIELD = "xFuture";
  private static final String VALUE = "{\"b\":[1,null,{\"a\":true}],\"a\":\"<x>\"}";

  /// Objects of text by name: anything is a name there.
  private static final Set<String> MAPS =
      Set.of("labels", "annotations", "labelsToApply", "matchLabels", "environmentVars");

  static Stream<ResourceDocuments.Item> examples() {
    return ResourceJsonTest.storedExamples();
  }

  @ParameterizedTest
  @MethodSource("examples")
  void an_unknown_field_survives_at_every_depth_and_is_reported(ResourceDocuments.Item item)
      throws IOException {
    Resource resource = item.resource();
    String key = ResourceKeys.key(resource);
    JsonNode document = PLAIN.readTree(ResourceJson.encode(resource));
    List<String> objects = new ArrayList<>();
    objects(document, "", objects);
    assertThat(objects).contains("", "/metadata");
    for (String at : objects) {
      JsonNode changed = document.deepCopy();
      ((ObjectNode) changed.at(JsonPointer.compile(at))).set(FIELD, PLAIN.readTree(VALUE));

      Decoded decoded = ResourceJson.decode(key, changed.toString(), 3).orElseThrow();

      assertThat(decoded).as(at).isInstanceOf(Decoded.Valid.class);
      Resource read = ((Decoded.Valid) decoded).resource();
      JsonNode written = PLAIN.readTree(ResourceJson.encode(read));
      assertThat(written).as(at).isEqualTo(changed);
      if (!at.startsWith("/status")) {
        assertThat(UnknownFields.of(read)).as(at).containsExactly(path(at));
      }
    }
  }

  private static void objects(JsonNode node, String at, List<String> found) {
    if (node.isArray()) {
      for (int i = 0; i < node.size(); i++) {
        objects(node.get(i), at + "/" + i, found);
      }
    } else if (node.isObject()) {
      found.add(at);
      node.properties()
          .forEach(
              field -> {
                if (!MAPS.contains(field.getKey())) {
                  objects(field.getValue(), at + "/" + field.getKey(), found);
                }
              });
    }
  }

  /// `/spec/ingress/0` as `spec.ingress[0].xFuture`.
  private static String path(String at) {
    String dotted = at.replaceAll("/(\\d+)(?=/|$)", "[$1]").replace('/', '.');
    return (dotted.isEmpty() ? "" : dotted.substring(1) + ".") + FIELD;
  }

  @Test
  void an_unknown_knob_is_reported_by_its_path() {
    ResourceDocuments read =
        ResourceReader.read(
            "f",
            """
            apiVersion: projectcalico.org/v3
            kind: FelixConfiguration
            metadata: {name: default}
            spec:
              interfacePrefix: cali
              interfacePrefiks: kali
              failsafeInboundHostPorts: [{protocol: TCP, port: 22, nett: 10.0.0.0/8}]
            """,
            "default");

    assertThat(read.problems()).isEmpty();
    assertThat(read.items().getFirst().unknownFields())
        .containsExactly("spec.failsafeInboundHostPorts[0].nett", "spec.interfacePrefiks");
  }

  @Test
  void a_staged_kubernetes_policy_is_checked_like_a_real_one() {
    ResourceDocuments read =
        ResourceReader.read(
            "f",
            """
            apiVersion: projectcalico.org/v3
            kind: StagedKubernetesNetworkPolicy
            metadata: {name: p, namespace: n}
            spec:
              podSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}
              ingress: [{from: [{}]}]
            """,
            "default");

    assertThat(read.problems())
        .extracting(problem -> problem.error().path())
        .containsExactlyInAnyOrder(
            "spec.podSelector.matchExpressions[0].values", "spec.ingress[0].from[0]");
  }
}
