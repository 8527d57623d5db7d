package io.margay.cni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.cni.spec.CniException;
import io.margay.model.k8s.KubernetesPod;
import io.margay.model.net.Prefix;
import io.margay.model.resource.EndpointPort;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.Protocol;
import io.margay.model.resource.ResourceValidator;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.model.resource.WorkloadEndpointSpec;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Whose word counts for a pod's endpoint: its document's, its annotations', the configuration's.
class PodOverlayTest {

  private static final List<EndpointPort> NO_PORTS = List.of();
  private static final EndpointPort HTTP =
      new EndpointPort("http", Protocol.Named.TCP, 80, null, null, Map.of());
  private static final EndpointPort OLD =
      new EndpointPort("old", Protocol.Named.TCP, 1, null, null, Map.of());

  private static Map<String, String> labels(String text) {
    Map<String, String> labels = new TreeMap<>();
    if (!text.isBlank()) {
      for (String label : text.split(" ", -1)) {
        labels.put(label.substring(0, label.indexOf('=')), label.substring(label.indexOf('=') + 1));
      }
    }
    return labels;
  }

  private static WorkloadEndpoint endpoint(Map<String, String> own, List<EndpointPort> ports) {
    Map<String, String> labels = new TreeMap<>(own);
    labels.put("projectcalico.org/namespace", "shop");
    labels.put("projectcalico.org/orchestrator", "k8s");
    labels.put("projectcalico.org/serviceaccount", "default");
    return new WorkloadEndpoint(
        Metadata.named("shop", "n1-k8s-web-eth0")
            .withLabels(labels)
            .withAnnotations(Map.of("note", "kept")),
        new WorkloadEndpointSpec(
            "k8s",
            null,
            "n1",
            "c1",
            "web",
            "eth0",
            "default",
            List.of(Prefix.parse("10.0.0.1/32")),
            List.of(),
            null,
            null,
            List.of("kns.shop", "ksa.shop.default"),
            null,
            null,
            ports,
            List.of(),
            Map.of("ingressBandwidth", 1_000_000),
            Map.of()));
  }

  private static KubernetesPod pod(
      Map<String, String> labels, @Nullable String account, boolean http) {
    return new KubernetesPod(
        Metadata.named("shop", "web").withLabels(labels),
        new KubernetesPod.Spec(
            account,
            null,
            null,
            http
                ? List.of(
                    new KubernetesPod.Container(
                        "c",
                        List.of(new KubernetesPod.ContainerPort("http", 80, null, null, null))))
                : List.of(),
            List.of()));
  }

  @ParameterizedTest(name = "args [{0}], annotation [{1}], document [{2}] -> [{3}]")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "''         | ''           | none     | ''",
        "a=1        | ''           | none     | a=1",
        "a=1 b=1    | a=2          | none     | a=2 b=1",
        "a=1 b=1 c=1| a=2 b=2      | a=3      | a=3 b=2 c=1",
        "''         | a=2          | a=3      | a=3",
        "a=1        | ''           | ''       | a=1",
        "''         | ''           | a=3 b=   | a=3 b=",
        "a=1        | projectcalico.org/namespace=x | projectcalico.org/namespace=y | a=1",
        "a=1        | projectcalico.org/orchestrator=x | projectcalico.org/orchestrator=y | a=1",
        "a=1        | pcns.env=x   | pcsa.team=y pcns.kubernetes.io/metadata.name=z | a=1"
      })
  void labels_by_precedence(String args, String annotation, String document, String expected)
      throws CniException {
    Map<String, String> configured =
        PodAnnotations.labels(
            labels(bare(args)),
            bare(annotation).isEmpty()
                ? Map.of()
                : Map.of(PodAnnotations.LABELS, json(labels(bare(annotation)))));
    Optional<KubernetesPod> said =
        document.equals("none")
            ? Optional.empty()
            : Optional.of(pod(labels(bare(document)), null, false));

    WorkloadEndpoint fitted = PodOverlay.fit(endpoint(configured, NO_PORTS), said);

    Map<String, String> own = new TreeMap<>(fitted.metadata().labels());
    assertThat(own.remove("projectcalico.org/namespace")).isEqualTo("shop");
    assertThat(own.remove("projectcalico.org/orchestrator")).isEqualTo("k8s");
    assertThat(own.remove("projectcalico.org/serviceaccount")).isEqualTo("default");
    assertThat(own).isEqualTo(labels(bare(expected)));
    assertThat(ResourceValidator.validate(fitted)).isEmpty();
  }

  private static String bare(String text) {
    return text.replace("'", "").strip();
  }

  private static String json(Map<String, String> labels) {
    StringBuilder json = new StringBuilder("{");
    labels.forEach(
        (key, value) ->
            json.append(json.length() > 1 ? "," : "")
                .append('"')
                .append(key)
                .append("\":\"")
                .append(value)
                .append('"'));
    return json.append('}').toString();
  }

  static Stream<Arguments> documents() {
    return Stream.of(
        Arguments.of(null, false, "default", List.of(OLD)),
        Arguments.of("robot", false, "robot", List.of(OLD)),
        Arguments.of(null, true, "default", List.of(HTTP)),
        Arguments.of("a.b", true, "a.b", List.of(HTTP)));
  }

  @ParameterizedTest
  @MethodSource("documents")
  void account_profiles_and_ports_are_the_documents_where_it_names_them(
      @Nullable String account, boolean http, String expected, List<EndpointPort> ports) {
    WorkloadEndpoint before = endpoint(Map.of(), List.of(OLD));

    WorkloadEndpoint fitted = PodOverlay.fit(before, Optional.of(pod(Map.of(), account, http)));

    assertThat(fitted.spec().serviceAccountName()).isEqualTo(expected);
    assertThat(fitted.spec().profiles()).containsExactly("kns.shop", "ksa.shop." + expected);
    assertThat(fitted.metadata().labels())
        .containsEntry("projectcalico.org/serviceaccount", expected);
    assertThat(fitted.spec().ports()).isEqualTo(ports);
    assertThat(fitted.spec().ipNetworks()).isEqualTo(before.spec().ipNetworks());
    assertThat(fitted.spec().containerID()).isEqualTo("c1");
    assertThat(fitted.spec().qosControls()).isEqualTo(before.spec().qosControls());
    assertThat(fitted.metadata().annotations()).containsEntry("note", "kept");
  }

  @Test
  void it_depends_on_the_document_of_now_not_on_those_before() {
    WorkloadEndpoint before = endpoint(Map.of("a", "1"), List.of(OLD));
    KubernetesPod first = pod(Map.of("a", "2", "b", "2"), "robot", true);
    KubernetesPod second = pod(Map.of("c", "3"), null, false);

    WorkloadEndpoint once = PodOverlay.fit(before, Optional.of(second));

    assertThat(PodOverlay.fit(once, Optional.of(second))).isEqualTo(once);
    assertThat(PodOverlay.fit(PodOverlay.fit(before, Optional.of(first)), Optional.of(second)))
        .isEqualTo(once);
    assertThat(PodOverlay.fit(once, Optional.empty())).isEqualTo(before);
  }

  @Test
  void host_ports_the_runtime_asked_for_stay_whatever_is_said() {
    EndpointPort mapped = new EndpointPort("", Protocol.Named.TCP, 80, 8080, null, Map.of());
    EndpointPort other = new EndpointPort("", Protocol.Named.UDP, 53, 53, "10.0.0.1", Map.of());
    EndpointPort said = new EndpointPort("web", Protocol.Named.TCP, 80, 8080, null, Map.of());
    WorkloadEndpoint before = endpoint(Map.of(), List.of(mapped, other));
    assertThat(ResourceValidator.validate(before)).isEmpty();

    WorkloadEndpoint covered = PodOverlay.fit(before, Optional.of(pod(Map.of(), null, true)));

    assertThat(covered.spec().ports()).containsExactly(HTTP, mapped, other);
    assertThat(PodOverlay.fit(covered, Optional.empty())).isEqualTo(before);
    KubernetesPod says =
        new KubernetesPod(
            Metadata.named("shop", "web"),
            new KubernetesPod.Spec(
                null,
                null,
                null,
                List.of(
                    new KubernetesPod.Container(
                        "c",
                        List.of(
                            new KubernetesPod.ContainerPort(
                                "web", 80, Protocol.Named.TCP, 8080, "")))),
                List.of()));
    assertThat(PodOverlay.fit(covered, Optional.of(says)).spec().ports())
        .as("one that is said too is there once, under its name")
        .containsExactly(said, other);
  }

  @Test
  void without_a_document_now_or_before_an_endpoint_is_left_alone() {
    WorkloadEndpoint foreign = endpoint(Map.of("edited", "by-hand"), List.of(OLD));

    assertThat(PodOverlay.fit(foreign, Optional.empty())).isSameAs(foreign);
  }

  @Test
  void what_is_no_pod_takes_nothing_from_one() {
    WorkloadEndpoint container =
        endpoint(Map.of(), NO_PORTS)
            .withSpec(endpoint(Map.of(), NO_PORTS).spec().attachedTo("cni", "n1", null, "eth0"));

    assertThat(PodOverlay.fit(container, Optional.of(pod(Map.of("a", "1"), null, true))))
        .isSameAs(container);
  }

  @Test
  void a_garbled_memory_leaves_the_endpoint_as_it_is_without_it() {
    WorkloadEndpoint covered =
        PodOverlay.fit(endpoint(Map.of(), NO_PORTS), Optional.of(pod(Map.of("a", "1"), "x", true)));
    WorkloadEndpoint garbled =
        covered.withMetadata(
            covered.metadata().withAnnotations(Map.of(PodOverlay.BEFORE, "{garbled")));

    WorkloadEndpoint bare = PodOverlay.fit(garbled, Optional.empty());

    assertThat(bare.metadata().annotations()).isEmpty();
    assertThat(bare.metadata().labels()).isEqualTo(covered.metadata().labels());
    assertThat(bare.spec()).isEqualTo(covered.spec());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "app=web|is not JSON",
        "[]|is not a JSON object",
        "{\"app\":1}|the value of \"app\" is not text",
        "{\"a b\":\"x\"}|is not a label key",
        "{\"app\":\"a b\"}|is not a label value"
      })
  void an_annotation_that_is_no_labels_is_refused(String annotation, String reason) {
    assertThatThrownBy(
            () -> PodAnnotations.labels(Map.of(), Map.of(PodAnnotations.LABELS, annotation)))
        .isInstanceOf(CniException.class)
        .hasMessageContaining("margay.io/labels")
        .hasMessageContaining(reason);
  }
}
