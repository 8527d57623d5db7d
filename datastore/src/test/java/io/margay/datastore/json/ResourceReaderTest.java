package io.margay.datastore.json;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ResourceReaderTest {

  private static ResourceDocuments read(String text) {
    return ResourceReader.read("f.yaml", text, "default");
  }

  private static List<String> refs(String text) {
    ResourceDocuments documents = read(text);
    assertThat(documents.problems()).isEmpty();
    return documents.items().stream()
        .map(ResourceDocuments.Item::resource)
        .map(Resource::ref)
        .map(ResourceRef::toString)
        .toList();
  }

  private static List<String> problems(String text) {
    return read(text).problems().stream().map(DocumentProblem::toString).toList();
  }

  private static String tier(String name) {
    return "apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: " + name + "}\n";
  }

  @Test
  void documents_lists_and_bare_lists_are_read_in_order() {
    String text =
        "# leading comment\n---\n"
            + tier("a")
            + "---\n---\n# nothing here\n--- \n"
            + tier("b")
            + "...\n---\n"
            + "apiVersion: v1\nkind: List\nitems:\n"
            + "- {apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: c}}\n"
            + "---\n"
            + "- {apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: d}}\n"
            + "---\n"
            + "apiVersion: projectcalico.org/v3\nkind: TierList\nitems:\n"
            + "- {apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: e}}\n";

    assertThat(refs(text)).containsExactly("Tier(a)", "Tier(b)", "Tier(c)", "Tier(d)", "Tier(e)");
  }

  @Test
  void json_is_read_too_one_object_or_many() {
    String one =
        "{\"apiVersion\":\"projectcalico.org/v3\",\"kind\":\"Tier\",\"metadata\":{\"name\":\"a\"}}";

    assertThat(refs(one + "\n" + one.replace("\"a\"", "\"b\"")))
        .containsExactly("Tier(a)", "Tier(b)");
    assertThat(refs("[" + one + "]")).containsExactly("Tier(a)");
  }

  @Test
  void the_default_namespace_goes_to_namespaced_kinds_only() {
    String text =
        """
        apiVersion: projectcalico.org/v3
        kind: NetworkSet
        metadata: {name: s}
        ---
        apiVersion: projectcalico.org/v3
        kind: GlobalNetworkSet
        metadata: {name: s}
        ---
        apiVersion: v1
        kind: ServiceAccount
        metadata: {name: robot}
        automountServiceAccountToken: false
        ---
        apiVersion: v1
        kind: Namespace
        metadata: {name: shop}
        spec: {finalizers: [kubernetes]}
        status: {phase: Active}
        """;

    assertThat(refs(text))
        .containsExactly(
            "NetworkSet(default/s)",
            "GlobalNetworkSet(s)",
            "Profile(ksa.default.robot)",
            "Profile(kns.shop)");
  }

  @Test
  void one_bad_document_costs_no_other() {
    String text = tier("a") + "---\n" + tier("B") + "---\nkind: [unclosed\n---\n" + tier("d");

    ResourceDocuments documents = read(text);

    assertThat(documents.items())
        .extracting(item -> item.resource().metadata().name())
        .containsExactly("a", "d");
    assertThat(problems(text)).hasSize(2);
    assertThat(problems(text).get(0)).startsWith("f.yaml: document 2: metadata.name: \"B\"");
    assertThat(problems(text).get(1)).startsWith("f.yaml: document 3: document: line ");
    assertThat(documents.items().getLast().origin().document()).isEqualTo(4);
  }

  @Test
  void a_thousand_documents_of_which_three_are_bad_give_three_lines() {
    StringBuilder text = new StringBuilder();
    for (int i = 1; i <= 1000; i++) {
      text.append("---\n").append(tier(i % 400 == 7 ? "BAD" : "t" + i));
    }

    ResourceDocuments documents = read(text.toString());

    assertThat(documents.items()).hasSize(997);
    assertThat(documents.problems())
        .extracting(problem -> problem.origin().document())
        .containsExactly(7, 407, 807);
  }

  @Test
  void every_bad_field_of_a_document_is_reported_at_its_path() {
    String text =
        """
        apiVersion: projectcalico.org/v3
        kind: NetworkPolicy
        metadata: {name: p, namespace: n}
        spec:
          order: high
          selector: "a = 'x'"
          types: [Inwards]
          ingress:
          - action: Permit
            protocol: gre
            source:
              nets: [10.0.0.0/8, 10.0.0.256]
              ports: [70000]
          - action: Allow
            destination: {nets: 10.0.0.0/8}
        """;

    assertThat(problems(text))
        .extracting(line -> line.substring("f.yaml: document 1: ".length()))
        .satisfiesExactlyInAnyOrder(
            line -> assertThat(line).startsWith("spec.order: "),
            line -> assertThat(line).startsWith("spec.selector: selector \"a = 'x'\", column 3"),
            line ->
                assertThat(line)
                    .isEqualTo("spec.types[0]: \"Inwards\" is not one of Ingress, Egress"),
            line ->
                assertThat(line)
                    .isEqualTo(
                        "spec.ingress[0].action: \"Permit\" is not one of Allow, Deny, Log, Pass"),
            line -> assertThat(line).startsWith("spec.ingress[0].protocol: protocol \"gre\""),
            line -> assertThat(line).startsWith("spec.ingress[0].source.nets[1]: "),
            line ->
                assertThat(line)
                    .startsWith("spec.ingress[0].source.ports[0]: port 70000 is not in 0..65535"),
            line ->
                assertThat(line).isEqualTo("spec.ingress[1].destination.nets: expected a list"));
  }

  @ParameterizedTest(name = "{0} -> {1}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          spec: {cidr: 10.0.0.1/16}                          | spec.cidr: 10.0.0.1/16 has host bits set
          spec: {}                                           | spec: cidr is required
          x: 1                                               | document: spec is required
          spec: {cidr: 10.0.0.0/16, blockSize: "26"}         | spec.blockSize: expected an integer
          spec: {cidr: 10.0.0.0/16, blockSize: 26.5}         | spec.blockSize: expected an integer
          spec: {cidr: 10.0.0.0/16, natOutgoing: "true"}     | spec.natOutgoing: expected true or false
          spec: {cidr: 10.0.0.0/16, natOutgoing: 1}          | spec.natOutgoing: expected true or false
          spec: {cidr: [a]}                                  | spec.cidr: expected text, found a list
          spec: 7                                            | spec: expected an object
          spec: {cidr: 10.0.0.0/16, allowedUses: [null]}     | spec.allowedUses
          spec: {cidr: 10.0.0.0/16, ipipMode: Sometimes}     | spec.ipipMode: "Sometimes" is not one of Never
          spec: {cidr: 10.0.0.0/16, cidr: 10.1.0.0/16}       | Duplicate
          spec: &x {cidr: *x}                                | alias
          """)
  void a_bad_pool(String spec, String expected) {
    String text =
        "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: p}\n" + spec + "\n";

    assertThat(problems(text)).singleElement().asString().contains(expected);
  }

  @Test
  void labels_must_be_text() {
    String text =
        "apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: p, labels: {a: 1}}\n";

    assertThat(problems(text)).singleElement().asString().contains("metadata.labels.a: ");
  }

  @Test
  void unknown_kinds_are_named_with_what_is_known() {
    assertThat(problems("apiVersion: projectcalico.org/v3\nkind: Gadget\n"))
        .singleElement()
        .asString()
        .startsWith("f.yaml: document 1: kind: \"Gadget\" of projectcalico.org/v3 is not known;")
        .contains("BGPPeer");
    assertThat(problems("apiVersion: apps/v1\nkind: Deployment\n")).hasSize(1);
    assertThat(problems("just text")).hasSize(1);
    assertThat(problems("kind: Tier\n"))
        .containsExactly("f.yaml: document 1: apiVersion: is required");
  }

  @Test
  void an_unknown_field_of_a_kubernetes_policy_is_refused_since_it_may_narrow_it() {
    String text =
        """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: p}
        spec:
          podSelector: {}
          ingress:
          - from:
            - podSelector: {}
              nodeSelector: {}
        """;

    assertThat(problems(text))
        .containsExactly("f.yaml: document 1: spec.ingress[0].from[0].nodeSelector: no such field");
  }

  @Test
  void a_problem_in_a_list_names_the_item() {
    String text =
        """
        apiVersion: v1
        kind: List
        items:
        - {apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: ok}}
        - {apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: Bad}}
        """;

    assertThat(problems(text).getFirst())
        .startsWith("f.yaml: document 1: items[1].metadata.name: \"Bad\"");
  }

  @Test
  void hostile_nesting_is_a_problem_not_a_crash() {
    assertThat(problems("[".repeat(100_000))).hasSize(1);
    assertThat(problems("a: " + "[".repeat(100_000))).hasSize(1);
    assertThat(problems("a: " + "{b: ".repeat(100_000))).hasSize(1);
  }
}
