package io.margay.datastore.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.model.resource.WorkloadEndpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The quick reader makes of a document what the general one makes, or nothing.
class UsualEndpointTest {

  private static final String USUAL =
      """
      {"kind":"WorkloadEndpoint","apiVersion":"projectcalico.org/v3","metadata":{"name":"n1-k8s-web--1-eth0","generateName":"web-","namespace":"shop","uid":"1b4e28ba-2fa1-11d2-883f-0016d3cca427","creationTimestamp":"2026-01-31T12:00:00Z","labels":{"app":"web","empty":"","projectcalico.org/namespace":"shop"},"annotations":{"a":"b"}},"spec":{"orchestrator":"k8s","workload":"w","node":"n1","containerID":"9f2c41","pod":"web-1","endpoint":"eth0","serviceAccountName":"default","ipNetworks":["10.65.0.2/32","fd00:65::2/128"],"profiles":["kns.shop","ksa.shop.default"],"interfaceName":"cali0ef24b1d5c2","mac":"ee:ee:ee:ee:ee:ee","ports":[{"name":"http","protocol":"TCP","port":8080,"hostPort":0,"hostIP":""},{"name":"dns","protocol":"UDP","port":53}]}}\
      """;

  private static @Nullable WorkloadEndpoint general(String document) throws Exception {
    ErrorSink errors = new ErrorSink();
    WorkloadEndpoint read =
        ResourceJson.read(ResourceJson.JSON.readTree(document), WorkloadEndpoint.class, errors);
    return read == null ? null : read.withMetadata(read.metadata().withResourceVersion("7"));
  }

  @Test
  void a_usual_document_is_read_as_the_general_reader_reads_it() throws Exception {
    WorkloadEndpoint quick = UsualEndpoint.read(USUAL, "7");
    WorkloadEndpoint general = general(USUAL);
    assertNotNull(quick);
    assertNotNull(general);
    assertThat(quick).isEqualTo(general);
    assertThat(ResourceJson.encode(quick)).isEqualTo(ResourceJson.encode(general));
  }

  @Test
  void what_endpoints_have_in_common_is_kept_once() {
    WorkloadEndpoint one = UsualEndpoint.read(USUAL, "7");
    WorkloadEndpoint other = UsualEndpoint.read(USUAL.replace("web-1", "web-2"), "8");
    assertNotNull(one);
    assertNotNull(other);
    assertThat(other.metadata().namespace()).isSameAs(one.metadata().namespace());
    assertThat(other.metadata().labels().get("app")).isSameAs(one.metadata().labels().get("app"));
    assertThat(other.spec().node()).isSameAs(one.spec().node());
    assertThat(other.spec().profiles().get(1)).isSameAs(one.spec().profiles().get(1));
    assertThat(other.spec().ports().getFirst().name())
        .isSameAs(one.spec().ports().getFirst().name());
    assertThat(other.spec().pod()).isEqualTo("web-2");
  }

  /// The usual document with one value another, at every place.
  static Stream<String> changed() throws Exception {
    ObjectNode document = (ObjectNode) ResourceJson.JSON.readTree(USUAL);
    List<String> all = new ArrayList<>();
    change(document, document, all);
    return all.stream();
  }

  private static void change(ObjectNode document, JsonNode at, List<String> all) {
    JsonNodeFactory make = JsonNodeFactory.instance;
    List<JsonNode> others =
        List.of(
            make.nullNode(),
            make.numberNode(7),
            make.numberNode(1L << 40),
            make.numberNode(1.5),
            make.booleanNode(true),
            make.textNode(""),
            make.textNode(" n1 "),
            make.arrayNode(),
            make.arrayNode().add(1).addNull(),
            make.objectNode(),
            make.objectNode().put("x", 1));
    if (at instanceof ObjectNode object) {
      object.set("strange", make.textNode("x"));
      all.add(document.toString());
      object.remove("strange");
      for (String field :
          List.copyOf(object.propertyStream().map(java.util.Map.Entry::getKey).toList())) {
        JsonNode value = object.get(field);
        for (JsonNode other : others) {
          object.set(field, other);
          all.add(document.toString());
        }
        object.remove(field);
        all.add(document.toString());
        object.set(field, value);
        change(document, value, all);
      }
    } else if (at instanceof ArrayNode array) {
      for (int i = 0; i < array.size(); i++) {
        JsonNode value = array.get(i);
        for (JsonNode other : others) {
          array.set(i, other);
          all.add(document.toString());
        }
        array.set(i, value);
        change(document, value, all);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("changed")
  void any_other_document_is_read_alike_or_left_to_the_general_reader(String document)
      throws Exception {
    WorkloadEndpoint quick = UsualEndpoint.read(document, "7");
    if (quick != null) {
      assertThat(quick).isEqualTo(general(document));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "null",
        "[]",
        "{}",
        "{\"metadata\":{\"name\":\"a\"}}",
        "{\"metadata\":{\"name\":\"a\"},\"spec\":{}} {}",
        "{\"metadata\":{\"name\":\"a\"},\"spec\":{}",
        "{\"metadata\":{\"name\":\"a\",\"name\":\"b\"},\"spec\":{}}",
        "{\"metadata\":{\"name\":\"a\",\"labels\":{\"x\":\"1\",\"x\":\"1\"}},\"spec\":{}}",
        "{\"metadata\":{\"name\":\"a\"},\"spec\":{},\"spec\":{}}",
        "{\"metadata\":{\"name\":\"a\"},\"metadata\":{\"name\":\"a\"},\"spec\":{}}",
        "{\"metadata\":{\"name\":\"a\"},\"spec\":{\"pod\":\"a\",\"pod\":\"a\"}}",
        "{\"kind\":\"x\",\"kind\":\"x\",\"metadata\":{\"name\":\"a\"},\"spec\":{}}",
        "{\"metadata\":{\"name\":\"a\"},\"spec\":{\"ipNetworks\":[\"10.0.0\"]}}",
        "{\"metadata\":{\"name\":\"a\"},\"spec\":{\"mac\":\"ee:ee\"}}"
      })
  void what_is_broken_is_left_to_the_general_reader(String document) {
    assertThat(UsualEndpoint.read(document, "7")).isNull();
  }
}
