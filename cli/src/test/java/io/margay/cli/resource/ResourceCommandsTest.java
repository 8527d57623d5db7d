package io.margay.cli.resource;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.CommitResult;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.Txn;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ResourceCommandsTest {

  private static final String TIERS = "/calico/resources/v3/projectcalico.org/tiers/";
  private static final String TIER =
      """
      apiVersion: projectcalico.org/v3
      kind: Tier
      metadata: {name: platform}
      spec: {order: 10}
      """;
  private static final String POLICY =
      """
      apiVersion: projectcalico.org/v3
      kind: NetworkPolicy
      metadata: {name: p, namespace: shop}
      spec: {tier: platform, egress: [{action: Allow}]}
      """;

  private final MargayRun run = new MargayRun();
  private final InMemoryDatastore store = run.store;
  private String out = "";
  private String err = "";

  private int margay(String stdin, String... arguments) {
    int code = run.margay(stdin, arguments);
    out = run.out;
    err = run.err;
    return code;
  }

  @Test
  void create_stores_the_document_under_calicos_key_with_identity_and_defaults() throws Exception {
    assertThat(margay(TIER, "create", "-f", "-")).isZero();

    assertThat(out)
        .isEqualTo("Tier(platform) created\nSuccessfully created 1 'Tier' resource(s)\n");
    assertThat(store.get(TIERS + "platform").orElseThrow().value())
        .startsWith("{\"kind\":\"Tier\",\"apiVersion\":\"projectcalico.org/v3\",")
        .contains("\"creationTimestamp\":\"2026-01-31T12:00:00Z\"", "\"uid\":\"")
        .endsWith("\"spec\":{\"order\":10,\"defaultAction\":\"Deny\"}}");
  }

  @Test
  void create_refuses_what_exists() {
    margay(TIER, "create", "-f", "-");

    assertThat(margay(TIER, "create", "-f", "-")).isEqualTo(4);
    assertThat(err)
        .isEqualTo("-: document 1: Tier(platform): already exists\nof 1: 0 created, 1 refused\n");
    assertThat(margay(TIER, "create", "--skip-exists", "-f", "-")).isZero();
  }

  @Test
  void replace_refuses_what_does_not_exist() {
    assertThat(margay(TIER, "replace", "-f", "-")).isEqualTo(1);
    assertThat(err).contains("Tier(platform): does not exist");
  }

  @Test
  void apply_creates_then_leaves_alone_then_replaces_and_keeps_the_identity() throws Exception {
    assertThat(margay(TIER, "apply", "-f", "-")).isZero();
    assertThat(out).startsWith("Tier(platform) created\n");
    String first = store.get(TIERS + "platform").orElseThrow().value();
    long revision = store.revision();

    assertThat(margay(TIER, "apply", "-f", "-")).isZero();
    assertThat(out).startsWith("Tier(platform) unchanged\n");
    assertThat(store.revision()).isEqualTo(revision);

    assertThat(margay(TIER.replace("10", "20"), "apply", "-f", "-")).isZero();
    assertThat(out).startsWith("Tier(platform) replaced\n");
    assertThat(store.get(TIERS + "platform").orElseThrow().value())
        .isEqualTo(first.replace("\"order\":10", "\"order\":20"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"apply", "replace", "delete"})
  void a_stale_resource_version_is_refused(String verb) {
    margay(TIER, "apply", "-f", "-");
    String stale = TIER.replace("name: platform", "name: platform, resourceVersion: \"999\"");

    assertThat(margay(stale.replace("10", "30"), verb, "-f", "-")).isEqualTo(4);
    assertThat(err).contains("Tier(platform): is at resourceVersion 2, not 999");
  }

  @Test
  void a_deletion_of_one_version_leaves_the_next_alone() throws Exception {
    margay(TIER, "apply", "-f", "-");
    run.opener = _ -> new Racing(store, 1);
    String named = TIER.replace("name: platform", "name: platform, resourceVersion: \"2\"");

    assertThat(margay(named, "delete", "-f", "-")).isEqualTo(4);
    assertThat(err).contains("Tier(platform): is at resourceVersion 3, not 2");
    assertThat(store.get(TIERS + "platform")).isPresent();

    run.opener = _ -> new Racing(store, 1);
    assertThat(margay(TIER, "delete", "-f", "-")).as("whichever version it is").isZero();
    assertThat(store.get(TIERS + "platform")).isEmpty();
  }

  @Test
  void apply_wins_against_a_change_made_meanwhile() {
    margay(TIER, "apply", "-f", "-");
    run.opener = _ -> new Racing(store, 1);

    assertThat(margay(TIER.replace("10", "20"), "apply", "-f", "-")).isZero();
    assertThat(out).contains("replaced");
  }

  @Test
  void apply_gives_up_when_others_never_stop() {
    margay(TIER, "apply", "-f", "-");
    run.opener = _ -> new Racing(store, Integer.MAX_VALUE);

    assertThat(margay(TIER.replace("10", "20"), "apply", "-f", "-")).isEqualTo(4);
    assertThat(err).contains("others changed it 8 times meanwhile");
  }

  @Test
  void a_bad_document_stops_everything_and_every_problem_is_a_line() throws Exception {
    String bad =
        """
        apiVersion: projectcalico.org/v3
        kind: IPPool
        metadata: {name: pool}
        spec: {cidr: 10.0.0.1/16, blockSize: big}
        """;

    assertThat(margay(TIER + "---\n" + bad, "apply", "-f", "-")).isEqualTo(1);
    assertThat(err.lines())
        .contains(
            "-: document 2: spec.cidr: 10.0.0.1/16 has host bits set; the network is 10.0.0.0/16")
        .anyMatch(line -> line.startsWith("-: document 2: spec.blockSize: "))
        .contains("nothing was written");
    assertThat(store.list("/").items()).isEmpty();
  }

  @Test
  void a_policy_in_a_missing_tier_is_refused() {
    assertThat(margay(POLICY, "apply", "-f", "-")).isEqualTo(1);
    assertThat(err).contains("there is no tier \"platform\"");
  }

  @Test
  void tiers_are_written_first_and_deleted_last() {
    assertThat(margay(POLICY + "---\n" + TIER, "apply", "-f", "-")).isZero();
    assertThat(out)
        .isEqualTo(
            """
            Tier(platform) created
            NetworkPolicy(shop/p) created
            Successfully applied 2 resource(s)
            """);

    assertThat(margay("", "delete", "tier", "platform")).isEqualTo(4);
    assertThat(err).contains("Tier(platform): still holds NetworkPolicy(shop/p)");

    assertThat(margay(TIER + "---\n" + POLICY, "delete", "-f", "-")).isZero();
    assertThat(out).startsWith("NetworkPolicy(shop/p) deleted\nTier(platform) deleted\n");
  }

  @Test
  void a_tier_stays_for_a_policy_that_comes_while_it_is_to_go() throws Exception {
    margay(TIER, "apply", "-f", "-");
    MargayRun other = new MargayRun(store);
    run.opener =
        _ ->
            new MargayRun.Forwarding(store) {
              @Override
              public CommitResult commit(Txn txn) throws DatastoreException {
                other.margay(POLICY, "create", "-f", "-");
                return super.commit(txn);
              }
            };

    assertThat(margay("", "delete", "tier", "platform")).isEqualTo(4);
    assertThat(other.out).startsWith("NetworkPolicy(shop/p) created");
    assertThat(err).contains("Tier(platform): still holds NetworkPolicy(shop/p)");

    run.opener = _ -> new MargayRun.Forwarding(store);
    assertThat(margay(POLICY, "delete", "-f", "-")).isZero();
    assertThat(margay("", "delete", "tier", "platform")).isZero();
    assertThat(store.list("/").items()).isEmpty();
  }

  /// calicoctl writes the policy's key and no other.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "networkpolicies/shop/p",
        "globalnetworkpolicies/p",
        "stagednetworkpolicies/shop/p",
        "stagedglobalnetworkpolicies/p"
      })
  void a_tier_stays_for_a_policy_that_another_client_writes_while_it_is_to_go(String key)
      throws Exception {
    margay(TIER, "apply", "-f", "-");
    run.opener =
        _ ->
            new MargayRun.Forwarding(store) {
              @Override
              public CommitResult commit(Txn txn) throws DatastoreException {
                store.commit(
                    Txn.create(
                        "/calico/resources/v3/projectcalico.org/" + key,
                        "{\"spec\":{\"tier\":\"platform\",\"selector\":\"all()\"}}"));
                return super.commit(txn);
              }
            };

    assertThat(margay("", "delete", "tier", "platform")).isEqualTo(4);
    assertThat(err).containsPattern("Tier\\(platform\\): (still holds|may hold) ");
    assertThat(store.get(TIERS + "platform")).isPresent();
  }

  @Test
  void a_tier_stays_for_a_policy_that_moves_into_it_while_it_is_to_go() throws Exception {
    String elsewhere = TIER.replace("platform", "elsewhere");
    margay(TIER + "---\n" + elsewhere + "---\n" + POLICY, "apply", "-f", "-");
    MargayRun other = new MargayRun(store);
    run.opener =
        _ ->
            new MargayRun.Forwarding(store) {
              @Override
              public CommitResult commit(Txn txn) throws DatastoreException {
                other.margay(POLICY.replace("platform", "elsewhere"), "apply", "-f", "-");
                return super.commit(txn);
              }
            };

    assertThat(margay("", "delete", "tier", "elsewhere")).isEqualTo(4);
    assertThat(err).contains("Tier(elsewhere): still holds NetworkPolicy(shop/p)");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {"spec":{"tier":"platform","ingress":[{"action":"Perhaps"}]}} | still holds
          {"spec":{"tier":"other","ingress":[{"action":"Perhaps"}]}}    |
          not JSON                                                      | may hold
          """)
  void a_policy_that_can_not_be_read_keeps_the_tier_it_may_be_in(
      String document, @Nullable String refusal) throws Exception {
    margay(TIER, "apply", "-f", "-");
    store.commit(
        Txn.builder()
            .put("/calico/resources/v3/projectcalico.org/networkpolicies/shop/broken", document)
            .build());

    int code = margay("", "delete", "tier", "platform");
    if (refusal == null) {
      assertThat(code).isZero();
    } else {
      assertThat(code).isEqualTo(4);
      assertThat(err)
          .contains("Tier(platform): " + refusal + " NetworkPolicy(shop/broken)", "can't be read");
    }
  }

  @Test
  void delete_by_name_and_of_nothing() {
    margay(TIER, "apply", "-f", "-");

    assertThat(margay("", "delete", "tiers", "platform")).isZero();
    assertThat(margay("", "delete", "tiers", "platform")).isEqualTo(1);
    assertThat(err).isEqualTo("Tier(platform): does not exist\nof 1: 0 deleted, 1 refused\n");
    assertThat(margay("", "delete", "--skip-not-exists", "tiers", "platform")).isZero();
  }

  @Test
  void pools_must_not_overlap_nor_change_their_prefix() {
    String pool =
        """
        apiVersion: projectcalico.org/v3
        kind: IPPool
        metadata: {name: a}
        spec: {cidr: 10.0.0.0/16}
        """;
    assertThat(margay(pool, "apply", "-f", "-")).isZero();

    assertThat(margay(pool.replace("name: a", "name: b"), "apply", "-f", "-")).isEqualTo(4);
    assertThat(err).contains("10.0.0.0/16 overlaps 10.0.0.0/16 of IPPool(a)");
    assertThat(margay(pool.replace("10.0", "10.1"), "apply", "-f", "-")).isEqualTo(1);
    assertThat(err).contains("spec.cidr: never changes; it is 10.0.0.0/16");
  }

  @Test
  void a_kubernetes_policy_is_stored_converted() throws Exception {
    String policy =
        """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: deny}
        spec: {podSelector: {}}
        """;

    assertThat(margay(policy, "apply", "-n", "shop", "-f", "-")).isZero();
    assertThat(out).startsWith("NetworkPolicy(shop/knp.default.deny) created\n");
    assertThat(
            store
                .get("/calico/resources/v3/projectcalico.org/networkpolicies/shop/knp.default.deny")
                .orElseThrow()
                .value())
        .contains("\"order\":1000", "\"selector\":\"projectcalico.org/orchestrator == 'k8s'\"");
  }

  @Test
  void an_administrators_policy_is_stored_converted_in_a_tier_that_needs_no_document()
      throws Exception {
    String policy =
        """
        apiVersion: policy.networking.k8s.io/v1alpha2
        kind: ClusterNetworkPolicy
        metadata: {name: p}
        spec:
          tier: Baseline
          priority: 7
          subject: {namespaces: {}}
          ingress: [{action: Deny, from: [{namespaces: {}}]}]
        """;

    assertThat(margay(policy, "apply", "-f", "-")).isZero();
    assertThat(out).startsWith("GlobalNetworkPolicy(kcnp.kube-baseline.p) created\n");
    assertThat(margay(policy.replace("v1alpha2", "v1beta1"), "apply", "-f", "-")).isZero();
    assertThat(out).startsWith("GlobalNetworkPolicy(kcnp.kube-baseline.p) unchanged\n");
    assertThat(margay(policy.replace("Deny", "Drop"), "apply", "-f", "-")).isEqualTo(1);
    assertThat(err).contains("spec.ingress[0].action: \"Drop\" is not one of Accept, Deny, Pass");
  }

  @Test
  void a_pod_document_waits_for_its_add_until_it_is_deleted() throws Exception {
    String pod =
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: web-0, namespace: shop, labels: {app: web}}
        spec: {containers: [{name: web, image: web, ports: [{name: http, containerPort: 80}]}]}
        """;

    assertThat(margay(pod, "create", "-f", "-")).isZero();
    assertThat(out).startsWith("Pod(shop/web-0) created\n");
    assertThat(store.get("/margay/v1/pods/shop/web-0").orElseThrow().value())
        .isEqualTo(
            "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"web-0\","
                + "\"namespace\":\"shop\",\"labels\":{\"app\":\"web\"}},\"spec\":{\"containers\":"
                + "[{\"name\":\"web\",\"ports\":[{\"name\":\"http\",\"containerPort\":80}]}]}}");
    assertThat(margay(pod, "create", "-f", "-")).isEqualTo(4);
    assertThat(err).contains("Pod(shop/web-0): already exists");
    assertThat(margay(pod, "create", "--skip-exists", "-f", "-")).isZero();
    assertThat(margay(pod, "apply", "-f", "-")).isZero();
    assertThat(out).startsWith("Pod(shop/web-0) unchanged\n");
    assertThat(margay(pod.replace("web}}", "db}"), "replace", "-f", "-")).isEqualTo(1);
    assertThat(margay(pod.replace("app: web", "app: db"), "replace", "-f", "-")).isZero();
    assertThat(margay(pod, "validate", "-f", "-")).isZero();
    assertThat(out).isEqualTo("1 resources are valid\n");
    assertThat(margay(pod, "delete", "-f", "-")).isZero();
    assertThat(out).startsWith("Pod(shop/web-0) deleted\n");
    assertThat(store.get("/margay/v1/pods/shop/web-0")).isEmpty();
    assertThat(margay(pod, "delete", "-f", "-")).isEqualTo(1);
    assertThat(margay(pod, "delete", "--skip-not-exists", "-f", "-")).isZero();
  }

  @Test
  void an_endpoint_slice_is_kept_as_it_is_shown_and_deleted() throws Exception {
    String slice =
        """
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: db-x1, namespace: shop, labels: {kubernetes.io/service-name: db}}
        addressType: IPv4
        endpoints:
        - {addresses: [10.0.0.7], conditions: {ready: true}, nodeName: n1}
        ports: [{name: pg, protocol: TCP, port: 5432}]
        """;

    assertThat(margay(slice, "apply", "-f", "-")).isZero();
    assertThat(out).startsWith("EndpointSlice(shop/db-x1) created\n");
    assertThat(store.get("/margay/v1/endpointslices/shop/db-x1").orElseThrow().value())
        .isEqualTo(
            "{\"kind\":\"EndpointSlice\",\"apiVersion\":\"discovery.k8s.io/v1\",\"metadata\":"
                + "{\"name\":\"db-x1\",\"namespace\":\"shop\",\"labels\":"
                + "{\"kubernetes.io/service-name\":\"db\"}},\"addressType\":\"IPv4\","
                + "\"endpoints\":[{\"addresses\":[\"10.0.0.7\"]}],"
                + "\"ports\":[{\"name\":\"pg\",\"protocol\":\"TCP\",\"port\":5432}]}");
    assertThat(margay("", "get", "endpointslices", "-A", "-o", "wide")).isZero();
    assertThat(out.lines().map(line -> line.strip().replaceAll(" +", " ")))
        .containsExactly(
            "NAMESPACE NAME SERVICE ADDRESSTYPE ENDPOINTS PORTS",
            "shop db-x1 db IPv4 10.0.0.7 5432",
            "");
    assertThat(margay(slice.replace("10.0.0.7", "fd00::7"), "apply", "-f", "-")).isEqualTo(1);
    assertThat(err).contains("endpoints[0].addresses[0]: fd00::7 is not of addressType IPv4");
    assertThat(margay(slice, "delete", "-f", "-")).isZero();
    assertThat(out).startsWith("EndpointSlice(shop/db-x1) deleted\n");
    assertThat(store.get("/margay/v1/endpointslices/shop/db-x1")).isEmpty();
  }

  @Test
  void get_pods_says_what_became_of_what_was_said() {
    String pods =
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: web, namespace: shop, labels: {app: web}}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: db, namespace: shop, labels: {app: db}}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: later, namespace: shop}
        """;
    String endpoint =
        """
        apiVersion: projectcalico.org/v3
        kind: WorkloadEndpoint
        metadata: {name: n1-k8s-%1$s-eth0, namespace: shop, labels: {app: web}}
        spec:
          orchestrator: k8s
          node: n1
          pod: %1$s
          endpoint: eth0
          interfaceName: cali%1$s
          ipNetworks: [10.0.0.%2$d/32]
        """;
    margay(pods, "apply", "-f", "-");
    margay(endpoint.formatted("web", 1), "apply", "-f", "-");
    margay(endpoint.formatted("db", 2), "apply", "-f", "-");

    assertThat(margay("", "get", "pods", "-n", "shop")).isZero();
    assertThat(out.lines().map(line -> line.strip().replaceAll(" +", " ")))
        .containsExactly(
            "NAMESPACE NAME STATE NODE IPS",
            "shop db pending n1 10.0.0.2",
            "shop later waiting",
            "shop web applied n1 10.0.0.1",
            "");
    assertThat(margay("", "get", "pod", "web", "-n", "shop", "--export", "-o", "json")).isZero();
    assertThat(out).contains("\"kind\"").doesNotContain("\"status\"", "resourceVersion");
    assertThat(margay("", "get", "pod", "nobody", "-n", "shop")).isEqualTo(1);
    assertThat(err).contains("Pod(nobody): does not exist");
  }

  @Test
  void what_get_prints_can_be_applied_again() {
    margay(TIER, "apply", "-f", "-");
    margay("", "get", "tier", "-o", "yaml");

    assertThat(margay(out, "apply", "-f", "-")).isZero();
    assertThat(out).startsWith("Tier(platform) unchanged\n");
  }

  @Test
  void get_of_nothing_fails() {
    assertThat(margay("", "get", "node", "n1")).isEqualTo(1);
    assertThat(err).isEqualTo("Node(n1): does not exist\n");
    assertThat(out).isEmpty();
  }

  @Test
  void get_shows_the_rest_of_what_is_partly_garbage_and_fails() throws Exception {
    margay(TIER, "apply", "-f", "-");
    store.commit(Txn.create(TIERS + "broken", "{"));

    assertThat(margay("", "get", "tiers")).isEqualTo(1);
    assertThat(out).contains("platform");
    assertThat(err).startsWith("Tier(broken): stored, but document: is not JSON");
  }

  @Test
  void validate_needs_no_datastore(@TempDir Path folder) throws Exception {
    run.opener =
        _ -> {
          throw new AssertionError("validate opened the datastore");
        };
    Files.writeString(folder.resolve("b.yaml"), POLICY);
    Files.writeString(folder.resolve("a.yml"), TIER);
    Files.writeString(folder.resolve("notes.txt"), "not a resource");

    assertThat(margay("", "validate", "-f", folder.toString())).isZero();
    assertThat(out).isEqualTo("2 resources are valid\n");
    assertThat(margay("kind: Tier", "validate", "-f", "-")).isEqualTo(1);
    assertThat(err).isEqualTo("-: document 1: apiVersion: is required\n");
  }

  @Test
  void unknown_fields_are_warned_about_and_kept() throws Exception {
    assertThat(margay(TIER.replace("order: 10", "order: 10, color: red"), "apply", "-f", "-"))
        .isZero();
    assertThat(err)
        .isEqualTo("-: document 1: spec.color: warning: not a known field; kept, without effect\n");
    assertThat(store.get(TIERS + "platform").orElseThrow().value()).contains("\"color\":\"red\"");
  }

  @Test
  void an_unknown_field_of_a_rule_is_not_said_to_be_without_effect() throws Exception {
    String policy =
        """
        apiVersion: projectcalico.org/v3
        kind: GlobalNetworkPolicy
        metadata: {name: p}
        spec: {ingress: [{action: Allow, source: {selectr: app == 'a'}}]}
        """;
    assertThat(margay(policy, "validate", "-f", "-")).isZero();
    assertThat(err)
        .isEqualTo(
            "-: document 1: spec.ingress[0].source.selectr: warning: not a known field; kept, and"
                + " an Allow with it matches nothing, a Deny or Pass denies what the rest of it"
                + " matches\n");
  }

  @Test
  void usage_errors_exit_2() {
    assertThat(margay("", "apply")).isEqualTo(2);
    assertThat(margay("", "apply", "-f", "/nowhere.yaml")).isEqualTo(2);
    assertThat(err).isEqualTo("/nowhere.yaml: can't be read: no such file\n");
    assertThat(margay("", "get", "gadgets")).isEqualTo(2);
    assertThat(err).startsWith("\"gadgets\" is not a kind; known are ");
    assertThat(margay("", "delete", "tier")).isEqualTo(2);
    assertThat(margay("", "get")).isEqualTo(2);
    assertThat(margay("", "get", "nodes", "--etcd-endpoints", "nonsense")).isEqualTo(2);
  }

  @Test
  void an_unreachable_datastore_exits_3() {
    run.opener =
        settings -> {
          throw new DatastoreException(
              DatastoreException.Kind.UNREACHABLE, settings.endpointText(), "no connection");
        };

    assertThat(margay("", "get", "nodes", "--etcd-endpoints", "http://192.0.2.1:2379"))
        .isEqualTo(3);
    assertThat(err).isEqualTo("no connection (datastore http://192.0.2.1:2379)\n");
  }

  @Test
  void a_write_whose_outcome_is_unknown_says_so() {
    run.opener = _ -> new Dying(store);

    assertThat(margay(TIER + "---\n" + POLICY, "apply", "-f", "-")).isEqualTo(3);
    assertThat(err)
        .startsWith(
            """
            Tier(platform): may or may not have been written; get it before trying again
            of 2: 0 applied, 0 refused, 1 not tried
            """);
  }

  /// A store in which somebody else writes right before our first `times` commits.
  private static final class Racing extends MargayRun.Forwarding {
    private int times;

    Racing(InMemoryDatastore store, int times) {
      super(store);
      this.times = times;
    }

    @Override
    public CommitResult commit(Txn txn) throws DatastoreException {
      if (times-- > 0) {
        var read = store.get(TIERS + "platform").orElseThrow();
        store.commit(Txn.replace(read, read.value().replace("}}", ",\"n\":" + times + "}}")));
      }
      return store.commit(txn);
    }
  }

  /// A store that dies while a commit is under way.
  private static final class Dying extends MargayRun.Forwarding {
    Dying(InMemoryDatastore store) {
      super(store);
    }

    @Override
    public CommitResult commit(Txn txn) throws DatastoreException {
      throw new DatastoreException(
          DatastoreException.Kind.DEADLINE, "http://192.0.2.1:2379", "no answer within 3 s");
    }
  }
}
