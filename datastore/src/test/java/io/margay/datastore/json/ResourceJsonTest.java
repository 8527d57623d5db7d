package io.margay.datastore.json;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.margay.model.net.Prefix;
import io.margay.model.resource.GlobalNetworkPolicy;
import io.margay.model.resource.GlobalNetworkSet;
import io.margay.model.resource.Kind;
import io.margay.model.resource.NetworkPolicy;
import io.margay.model.resource.PolicySpec;
import io.margay.model.resource.PolicyType;
import io.margay.model.resource.Resource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ResourceJsonTest {

  private static final ObjectMapper PLAIN = new ObjectMapper();

  static Stream<ResourceDocuments.Item> examples() {
    ResourceDocuments documents = ResourceReader.read("examples", Examples.everything(), "default");
    assertThat(documents.problems()).isEmpty();
    return documents.items().stream();
  }

  static Stream<ResourceDocuments.Item> storedExamples() {
    return examples().filter(item -> item.resource().kind().isStoredAsResource());
  }

  @Test
  void the_examples_cover_every_kind() {
    Set<Kind> seen = examples().map(item -> item.resource().kind()).collect(Collectors.toSet());

    assertThat(seen).isEqualTo(EnumSet.complementOf(EnumSet.of(Kind.ENDPOINT_SLICE)));
  }

  @ParameterizedTest
  @MethodSource("storedExamples")
  void a_resource_survives_the_store(ResourceDocuments.Item item) {
    Resource resource = item.resource();
    String key = ResourceKeys.key(resource);

    Decoded decoded = ResourceJson.decode(key, ResourceJson.encode(resource), 42).orElseThrow();

    assertThat(decoded)
        .isEqualTo(
            new Decoded.Valid(
                resource.withMetadata(resource.metadata().withResourceVersion("42"))));
  }

  @ParameterizedTest
  @MethodSource("examples")
  void a_resource_survives_yaml(ResourceDocuments.Item item) {
    String yaml = ResourceJson.toYaml(item.resource());

    ResourceDocuments again = ResourceReader.read("again", yaml, "other");

    assertThat(again.problems()).isEmpty();
    assertThat(again.items())
        .extracting(ResourceDocuments.Item::resource)
        .containsExactly(item.resource());
  }

  @Test
  void every_field_of_a_written_document_survives_with_its_value() throws IOException {
    // Whatever Jackson's own tree of the file says must be in what we write, value for value.
    ResourceDocuments read = ResourceReader.read("f", Examples.everything(), "default");
    var yaml = new YAMLMapper();
    List<JsonNode> raw;
    try (var values = yaml.readerFor(JsonNode.class).<JsonNode>readValues(Examples.everything())) {
      raw = values.readAll();
    }
    assertThat(raw).hasSameSizeAs(read.items());
    for (int i = 0; i < raw.size(); i++) {
      String written = ResourceJson.encode(read.items().get(i).resource());
      assertThat(missing("", raw.get(i), PLAIN.readTree(written)))
          .as(read.items().get(i).resource().ref().toString())
          .isEmpty();
    }
  }

  private static List<String> missing(String path, JsonNode expected, JsonNode actual) {
    List<String> missing = new ArrayList<>();
    if (expected.isObject()) {
      expected
          .properties()
          .forEach(
              field ->
                  missing.addAll(
                      missing(
                          path + "." + field.getKey(),
                          field.getValue(),
                          actual.path(field.getKey()))));
    } else if (expected.isArray()) {
      for (int i = 0; i < expected.size(); i++) {
        missing.addAll(missing(path + "[" + i + "]", expected.get(i), actual.path(i)));
      }
    } else if (!expected.asText().equals(actual.asText())) {
      missing.add(path + ": " + expected + " became " + actual);
    }
    return missing;
  }

  @Test
  void knobs_are_stored_in_the_order_of_calicos_structure_and_others_after_them_by_name() {
    Resource mixed =
        one(
            """
            apiVersion: projectcalico.org/v3
            kind: FelixConfiguration
            metadata: {name: default}
            spec:
              zebra: {b: 1, a: 2}
              apple: 1
              bpfLogFilters: {weps: udp, all: tcp}
              failsafeInboundHostPorts: [{port: 22, later: 1, net: 192.0.2.0/24, protocol: tcp}]
              interfacePrefix: cali
              dataplaneWatchdogTimeout: 90s
            """);

    assertThat(ResourceJson.encode(mixed))
        .contains(
            "{\"dataplaneWatchdogTimeout\":\"90s\",\"interfacePrefix\":\"cali\","
                + "\"failsafeInboundHostPorts\":[{\"protocol\":\"tcp\",\"port\":22,"
                + "\"net\":\"192.0.2.0/24\",\"later\":1}],"
                + "\"bpfLogFilters\":{\"all\":\"tcp\",\"weps\":\"udp\"},"
                + "\"apple\":1,\"zebra\":{\"b\":1,\"a\":2}}");
  }

  @Test
  void limits_on_traffic_are_stored_in_the_order_of_calicos_structure() {
    Resource endpoint =
        one(
            """
            apiVersion: projectcalico.org/v3
            kind: WorkloadEndpoint
            metadata: {name: n-cni-c-e, namespace: default}
            spec:
              orchestrator: cni
              node: n
              containerID: c
              endpoint: e
              qosControls: {dscp: EF, egressBandwidth: 1000, ingressBandwidth: 2000}
            """);

    assertThat(ResourceJson.encode(endpoint))
        .contains(
            "\"qosControls\":{\"ingressBandwidth\":2000,\"egressBandwidth\":1000,\"dscp\":\"EF\"}");
  }

  @Test
  void an_empty_list_of_failsafe_ports_is_stored_as_one() {
    Resource closed =
        one(
            """
            apiVersion: projectcalico.org/v3
            kind: FelixConfiguration
            metadata: {name: default}
            spec: {failsafeInboundHostPorts: []}
            """);

    assertThat(ResourceJson.encode(closed)).contains("\"failsafeInboundHostPorts\":[]");
  }

  @Test
  void the_stored_form_is_calicos() {
    Resource pool =
        one(
            """
            apiVersion: projectcalico.org/v3
            kind: IPPool
            metadata: {name: p, resourceVersion: "7"}
            spec: {cidr: 10.0.0.0/16, blockSize: 26, nodeSelector: all(), natOutgoing: true}
            """);

    assertThat(ResourceJson.encode(pool))
        .isEqualTo(
            "{\"kind\":\"IPPool\",\"apiVersion\":\"projectcalico.org/v3\",\"metadata\":{\"name\":\"p\"},"
                + "\"spec\":{\"cidr\":\"10.0.0.0/16\",\"natOutgoing\":true,\"blockSize\":26,"
                + "\"nodeSelector\":\"all()\"}}");
  }

  @Test
  void whole_orders_are_written_without_a_fraction() {
    Resource tier =
        one(
            """
            apiVersion: projectcalico.org/v3
            kind: Tier
            metadata: {name: t}
            spec: {order: 1000}
            """);

    assertThat(ResourceJson.encode(tier)).contains("\"order\":1000}");
  }

  @Test
  void unknown_fields_survive_at_every_level_and_are_reported() {
    String yaml =
        """
        apiVersion: projectcalico.org/v3
        kind: NetworkPolicy
        futureTop: 1
        metadata: {name: p, namespace: n, futureMeta: {a: [1, null]}}
        spec:
          futureSpec: x
          ingress:
          - action: Allow
            futureRule: true
            source: {futureEntity: {deep: [1]}}
        """;
    ResourceDocuments.Item item = ResourceReader.read("f", yaml, "default").items().getFirst();

    assertThat(item.unknownFields())
        .containsExactlyInAnyOrder(
            "futureTop",
            "metadata.futureMeta",
            "spec.futureSpec",
            "spec.ingress[0].futureRule",
            "spec.ingress[0].source.futureEntity");
    assertThat(ResourceJson.encode(item.resource()))
        .contains(
            "\"futureTop\":1",
            "\"futureMeta\":{\"a\":[1,null]}",
            "\"futureSpec\":\"x\"",
            "\"futureRule\":true",
            "\"futureEntity\":{\"deep\":[1]}");
  }

  @Test
  void a_label_with_an_empty_value_is_not_lost() {
    Resource set =
        one(
            """
            apiVersion: projectcalico.org/v3
            kind: GlobalNetworkSet
            metadata: {name: s, labels: {edge: ""}}
            """);

    assertThat(ResourceJson.encode(set)).contains("\"labels\":{\"edge\":\"\"}");
  }

  @Test
  void a_stored_document_under_another_name_is_invalid() {
    Decoded decoded =
        ResourceJson.decode(
                ResourceKeys.ROOT + "tiers/a",
                "{\"kind\":\"Tier\",\"metadata\":{\"name\":\"b\"},\"spec\":{}}",
                1)
            .orElseThrow();

    assertThat(decoded).isInstanceOf(Decoded.Invalid.class);
  }

  @Test
  void stored_garbage_is_invalid_and_names_its_key() {
    for (String garbage : List.of("", "{", "[]", "null", "\"x\"", "{} {}", "{\"metadata\":7}")) {
      Decoded decoded =
          ResourceJson.decode(ResourceKeys.ROOT + "tiers/a", garbage, 1).orElseThrow();
      assertThat(decoded).as(garbage).isInstanceOf(Decoded.Invalid.class);
      assertThat(decoded.ref().toString()).isEqualTo("Tier(a)");
    }
  }

  @Test
  void a_key_that_is_no_resource_decodes_to_nothing() {
    assertThat(ResourceJson.decode("/calico/ipam/v2/config", "{}", 1)).isEmpty();
  }

  private static Resource one(String yaml) {
    ResourceDocuments documents = ResourceReader.read("one", yaml, "default");
    assertThat(documents.problems()).isEmpty();
    return documents.items().getFirst().resource();
  }

  @Test
  void every_kind_has_a_class() {
    assertThat(Arrays.stream(Kind.values()).map(ResourceJson::type).distinct())
        .hasSize(Kind.values().length);
  }

  @Test
  void a_policy_with_a_broken_rule_still_says_whom_it_selects() {
    Decoded decoded =
        ResourceJson.decode(
                "/calico/resources/v3/projectcalico.org/networkpolicies/shop/db",
                """
                {"kind":"NetworkPolicy","apiVersion":"projectcalico.org/v3","metadata":{"name":"db","namespace":"shop"},
                 "spec":{"order":7,"selector":"app == 'db'","ingress":[{"action":"Perhaps"}]}}\
                """,
                3)
            .orElseThrow();
    assertThat(decoded)
        .isInstanceOfSatisfying(
            Decoded.Invalid.class,
            invalid -> {
              NetworkPolicy readable = (NetworkPolicy) invalid.readable().orElseThrow();
              assertThat(readable.spec().effectiveSelector()).hasToString("app == 'db'");
              assertThat(readable.spec().ingress()).isEmpty();
              assertThat(readable.spec().effectiveTypes())
                  .containsExactlyInAnyOrder(PolicyType.INGRESS, PolicyType.EGRESS);
            });
  }

  @Test
  void of_a_policy_whose_selector_is_broken_too_nothing_is_guessed() {
    Decoded decoded =
        ResourceJson.decode(
                "/calico/resources/v3/projectcalico.org/globalnetworkpolicies/g",
                """
                {"kind":"GlobalNetworkPolicy","apiVersion":"projectcalico.org/v3","metadata":{"name":"g"},
                 "spec":{"selector":"app ==","ingress":[]}}\
                """,
                3)
            .orElseThrow();
    assertThat(decoded)
        .isInstanceOfSatisfying(
            Decoded.Invalid.class, invalid -> assertThat(invalid.readable()).isEmpty());
  }

  private static Resource readable(String kind, String key, String name, String spec) {
    Decoded decoded =
        ResourceJson.decode(
                "/calico/resources/v3/projectcalico.org/" + key + name,
                """
                {"kind":"%s","apiVersion":"projectcalico.org/v3","metadata":{"name":"%s"%s},"spec":{%s}}\
                """
                    .formatted(
                        kind, name, key.contains("shop") ? ",\"namespace\":\"shop\"" : "", spec),
                3)
            .orElseThrow();
    return ((Decoded.Invalid) decoded).readable().orElseThrow();
  }

  private static PolicySpec ofGlobal(String name, String spec) {
    return ((GlobalNetworkPolicy)
            readable("GlobalNetworkPolicy", "globalnetworkpolicies/", name, spec))
        .spec();
  }

  @Test
  void a_policy_with_a_broken_order_stands_first() {
    NetworkPolicy policy =
        (NetworkPolicy)
            readable(
                "NetworkPolicy",
                "networkpolicies/shop/",
                "db",
                "\"order\":\"high\",\"selector\":\"app == 'db'\"");
    assertThat(policy.spec().order()).isNegative();
    assertThat(policy.spec().effectiveSelector()).hasToString("app == 'db'");
  }

  @ParameterizedTest
  @ValueSource(strings = {"5", "[\"a\"]"})
  void a_policy_with_a_broken_tier_is_in_that_of_its_name(String tier) {
    String spec = "\"tier\":%s,\"selector\":\"all()\"".formatted(tier);
    assertThat(ofGlobal("security.deny", spec).effectiveTier()).isEqualTo("security");
    assertThat(ofGlobal("deny", spec).effectiveTier()).isEqualTo("default");
  }

  @Test
  void a_broken_policy_closes_where_it_was_meant_to_stand() {
    String broken = ",\"selector\":\"all()\",\"ingress\":[{\"action\":\"Perhaps\"}]";
    PolicySpec forwarded = ofGlobal("f", "\"applyOnForward\":true" + broken);
    assertThat(forwarded.applyOnForward()).isTrue();
    PolicySpec untracked = ofGlobal("u", "\"doNotTrack\":true,\"applyOnForward\":true" + broken);
    assertThat(untracked.doNotTrack()).isTrue();
    assertThat(untracked.effectiveTypes()).hasSize(2);
    PolicySpec early = ofGlobal("e", "\"preDNAT\":true,\"applyOnForward\":true" + broken);
    assertThat(early.isPreDnat()).isTrue();
    assertThat(early.applyOnForward()).isTrue();
    assertThat(early.effectiveTypes()).containsExactly(PolicyType.INGRESS);
  }

  /// Calico refuses each of these for the flags alone.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"doNotTrack\":true",
        "\"preDNAT\":true",
        "\"preDNAT\":true,\"doNotTrack\":true,\"applyOnForward\":true",
        "\"preDNAT\":true,\"applyOnForward\":true,\"types\":[\"Egress\"]",
        "\"applyOnForward\":\"yes\""
      })
  void flags_that_contradict_each_other_close_what_is_forwarded(String flags) {
    PolicySpec spec = ofGlobal("p", flags + ",\"selector\":\"all()\"");
    assertThat(spec.applyOnForward()).isTrue();
    assertThat(spec.isPreDnat() && spec.isDoNotTrack()).isFalse();
  }

  @Test
  void of_a_broken_network_set_the_labels_and_the_prefixes_that_are_well_remain() {
    GlobalNetworkSet set =
        (GlobalNetworkSet)
            readable(
                "GlobalNetworkSet",
                "globalnetworksets/",
                "bad",
                "\"nets\":[\"192.0.2.0/24\",\"198.51.100.0/240\",7,\"2001:db8::/32\",\"203.0.113.9\"]");
    assertThat(set.spec().nets())
        .extracting(Prefix::toString)
        .containsExactly("192.0.2.0/24", "2001:db8::/32", "203.0.113.9/32");
    String key = "/calico/resources/v3/projectcalico.org/networksets/shop/s";
    String labelled =
        """
        {"kind":"NetworkSet","apiVersion":"projectcalico.org/v3",
         "metadata":{"name":"s","namespace":"shop","labels":%s},"spec":{"nets":["10.0.0.0/33"]}}\
        """;
    assertThat(invalid(key, labelled.formatted("{\"role\":\"bad\"}")).readable())
        .hasValueSatisfying(it -> assertThat(it.metadata().labels()).containsEntry("role", "bad"));
    assertThat(invalid(key, labelled.formatted("{\"role\":[]}")).readable()).isEmpty();
    assertThat(invalid(key, "{\"spec\":{}}").readable()).isEmpty();
    assertThat(invalid(key, "{").readable()).isEmpty();
  }

  private static Decoded.Invalid invalid(String key, String document) {
    return (Decoded.Invalid) ResourceJson.decode(key, document, 3).orElseThrow();
  }
}
