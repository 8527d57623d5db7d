package io.margay.cli.resource;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.Txn;
import io.margay.datastore.json.ResourceReader;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GetCommandTest {

  private static final String CLUSTER =
      """
      apiVersion: projectcalico.org/v3
      kind: Tier
      metadata: {name: platform}
      spec: {order: 10}
      ---
      apiVersion: projectcalico.org/v3
      kind: Tier
      metadata: {name: apps}
      spec: {order: 5}
      ---
      apiVersion: projectcalico.org/v3
      kind: NetworkPolicy
      metadata: {name: p, namespace: shop}
      spec: {tier: platform, order: 100, selector: app == 'db', egress: [{action: Allow}]}
      ---
      apiVersion: projectcalico.org/v3
      kind: Node
      metadata: {name: n1}
      spec: {bgp: {ipv4Address: 192.0.2.1/24, asNumber: 65001}}
      ---
      apiVersion: projectcalico.org/v3
      kind: Node
      metadata: {name: n2}
      spec: {bgp: {ipv4Address: 192.0.2.2/24}}
      ---
      apiVersion: projectcalico.org/v3
      kind: IPPool
      metadata: {name: pods}
      spec: {cidr: 10.64.0.0/16, natOutgoing: true}
      """;

  private final MargayRun margay = new MargayRun();

  @BeforeEach
  void fill() {
    assertThat(margay.margay(CLUSTER, "apply", "-f", "-")).isZero();
  }

  private String get(String... arguments) {
    String[] all = new String[arguments.length + 1];
    all[0] = "get";
    System.arraycopy(arguments, 0, all, 1, arguments.length);
    int code = margay.margay("", all);
    assertThat(code).as(margay.err).isZero();
    assertThat(margay.err).isEmpty();
    return margay.out;
  }

  @Test
  void a_table_is_padded_as_calicoctls_and_ends_in_an_empty_line() {
    assertThat(get("nodes")).isEqualTo("NAME   \nn1     \nn2     \n\n");
    assertThat(get("ippools", "-o", "wide"))
        .isEqualTo(
            """
            NAME   CIDR           NAT    IPIPMODE   VXLANMODE   DISABLED   DISABLEBGPEXPORT   SELECTOR   \\s
            pods   10.64.0.0/16   true   Never      Never       false      false              all()      \\s

            """
                .replace("   \\s", "   "));
  }

  @Test
  void wide_nodes_without_an_as_number_show_the_clusters() {
    assertThat(get("nodes", "-o", "wide"))
        .contains("n1     65001     192.0.2.1/24")
        .contains("n2     (64512)   192.0.2.2/24");
    margay.margay(
        """
        apiVersion: projectcalico.org/v3
        kind: BGPConfiguration
        metadata: {name: default}
        spec: {asNumber: 65000}
        """,
        "apply",
        "-f",
        "-");
    assertThat(get("nodes", "-o", "wide")).contains("n2     (65000)   192.0.2.2/24");
  }

  @Test
  void the_namespace_is_a_column_when_namespaces_are_chosen() {
    assertThat(get("np", "-A")).startsWith("NAMESPACE   NAME   TIER");
    assertThat(get("np", "-n", "shop")).startsWith("NAMESPACE   NAME   TIER");
    assertThat(get("np")).isEqualTo("NAME   TIER   \n\n");
  }

  @Test
  void tiers_are_sorted_by_order() {
    assertThat(get("tiers", "-o", "name")).isEqualTo("tier/apps\ntier/platform\n");
  }

  @Test
  void the_default_allow_profile_is_always_there() {
    assertThat(get("profiles", "-o", "name")).isEqualTo("profile/projectcalico-default-allow\n");
    assertThat(get("profile", "projectcalico-default-allow", "-o", "yaml"))
        .contains("egress:\n  - action: Allow");
  }

  @Test
  void several_kinds_are_several_tables() {
    assertThat(get("tiers,node")).contains("NAME       ORDER").contains("n1");
    assertThat(get("tiers,node", "-o", "jsonpath={.items[*].metadata.name}"))
        .isEqualTo("apps platform n1 n2");
  }

  @Test
  void several_names_are_one_table() {
    assertThat(get("node", "n2", "n1")).isEqualTo("NAME   \nn2     \nn1     \n\n");
  }

  @Test
  void custom_columns_by_heading_and_by_path() {
    assertThat(get("ippool", "-o", "custom-columns=CIDR,NAME"))
        .isEqualTo("CIDR           NAME   \n10.64.0.0/16   pods   \n\n");
    assertThat(get("node", "-o", "custom-columns=N:.metadata.name,AS:.spec.bgp.asNumber"))
        .contains("N    AS       \nn1   65001    \nn2   <none>   \n");
    assertThat(margay.margay("", "get", "node", "-o", "custom-columns=COLOR")).isEqualTo(2);
    assertThat(margay.err)
        .isEqualTo(
            "-o custom-columns: Unknown heading COLOR of Node, valid values are: ASN, IPV4, IPV6,"
                + " NAME, NAMESPACE\n");
  }

  @Test
  void a_list_is_calicoctls_list() {
    assertThat(get("ippools", "-o", "yaml"))
        .startsWith(
            "apiVersion: projectcalico.org/v3\nitems:\n- apiVersion: projectcalico.org/v3\n")
        .contains("\nkind: IPPoolList\nmetadata:\n  resourceVersion: \"");
    assertThat(get("ippools", "-o", "json"))
        .startsWith(
            "{\n  \"kind\": \"IPPoolList\",\n  \"apiVersion\": \"projectcalico.org/v3\",\n"
                + "  \"metadata\": {\n    \"resourceVersion\": \"")
        .endsWith("\n  ]\n}\n");
    assertThat(get("ippool", "pods", "-o", "yaml"))
        .startsWith(
            """
            apiVersion: projectcalico.org/v3
            kind: IPPool
            metadata:
              creationTimestamp: "2026-01-31T12:00:00Z"
            """);
    assertThat(get("node", "n1", "n2", "-o", "json")).startsWith("[\n  {\n    \"kind\": \"Node\"");
  }

  @Test
  void what_is_printed_can_be_read_again() {
    for (String format : new String[] {"yaml", "json"}) {
      for (String[] what :
          new String[][] {{"nodes"}, {"node", "n1"}, {"node", "n1", "n2"}, {"np,nodes", "-A"}}) {
        String[] arguments = new String[what.length + 2];
        System.arraycopy(what, 0, arguments, 0, what.length);
        arguments[what.length] = "-o";
        arguments[what.length + 1] = format;
        var read = ResourceReader.read("out", get(arguments), "default");
        assertThat(read.problems()).isEmpty();
        assertThat(read.items()).isNotEmpty();
      }
    }
  }

  @Test
  void export_leaves_out_what_is_this_clusters() {
    assertThat(get("np", "p", "-n", "shop", "--export", "-o", "yaml"))
        .doesNotContain("uid", "resourceVersion", "creationTimestamp", "namespace")
        .contains("name: p");
    assertThat(get("np", "-n", "shop", "--export", "-o", "yaml")).contains("namespace: shop");
  }

  @Test
  void templates_from_the_command_line_and_from_files(@TempDir Path folder) throws Exception {
    Path file =
        Files.writeString(folder.resolve("t"), "{{range .items}}<{{.metadata.name}}>{{end}}");

    assertThat(get("node", "-o", "go-template={{range .items}}{{.metadata.name}} {{end}}"))
        .isEqualTo("n1 n2 ");
    assertThat(get("node", "-o", "go-template-file=" + file)).isEqualTo("<n1><n2>");
    assertThat(get("node", "n1", "-o", "jsonpath={.spec.bgp.asNumber}")).isEqualTo("65001");
    assertThat(margay.margay("", "get", "node", "-o", "go-template={{")).isEqualTo(2);
    assertThat(margay.margay("", "get", "node", "-o", "go-template-file=/nowhere")).isEqualTo(2);
    assertThat(margay.err).isEqualTo("/nowhere: can't be read: no such file\n");
    assertThat(margay.margay("", "get", "node", "-o", "xml")).isEqualTo(2);
  }

  @Test
  void what_a_file_names_is_shown() {
    assertThat(margay.margay(CLUSTER, "get", "-f", "-", "-o", "name")).isZero();
    assertThat(margay.out)
        .isEqualTo("tier/platform\ntier/apps\nnetworkpolicy/p\nnode/n1\nnode/n2\nippool/pods\n");
  }

  @Test
  void ipam_is_shown_as_calicos_objects() throws Exception {
    margay.store.commit(
        Txn.create(
            "/calico/ipam/v2/host/n1/ipv4/block/10.64.0.0-30",
            "{\"state\":\"confirmed\",\"deleted\":false}"));
    margay.store.commit(
        Txn.create(
            "/calico/ipam/v2/assignment/ipv4/block/10.64.0.0-30",
            "{\"cidr\":\"10.64.0.0/30\",\"affinity\":\"host:n1\",\"allocations\":[0,null,null,null],"
                + "\"unallocated\":[1,2,3],\"attributes\":[{\"handle_id\":\"net.C1\"}]}"));
    margay.store.commit(
        Txn.create(
            "/calico/ipam/v2/handle/net.C1",
            "{\"handleID\":\"net.C1\",\"block\":{\"10.64.0.0/30\":1},\"deleted\":false}"));

    assertThat(get("blockaffinities"))
        .contains("n1-10-64-0-0-30   10.64.0.0/30   n1     confirmed");
    assertThat(get("ipamblocks", "-o", "wide")).contains("10-64-0-0-30   10.64.0.0/30   host:n1");
    assertThat(get("ipamblocks", "-o", "custom-columns=ALLOCATED,FREE")).contains("1           3");
    assertThat(get("ipamhandle", "net.c1", "-o", "jsonpath={.spec.handleID}")).isEqualTo("net.C1");
    assertThat(margay.margay("", "get", "ipamhandle", "other")).isEqualTo(1);
    assertThat(margay.err).isEqualTo("IPAMHandle(other): does not exist\n");
  }

  @Test
  void a_misspelt_kind_is_guessed() {
    assertThat(margay.margay("", "get", "ndoes")).isEqualTo(2);
    assertThat(margay.err).startsWith("\"ndoes\" is not a kind; did you mean nodes? Known are ");
    assertThat(margay.margay("", "get", "globalnetworkpolcy")).isEqualTo(2);
    assertThat(margay.err).contains("did you mean globalnetworkpolicy?");
  }

  @Test
  void combinations_that_mean_nothing_are_usage_errors() {
    assertThat(margay.margay("", "get", "np", "p", "-A")).isEqualTo(2);
    assertThat(margay.margay("", "get", "np", "-A", "-n", "shop")).isEqualTo(2);
    assertThat(margay.margay("", "get", "np,node", "p")).isEqualTo(2);
    assertThat(margay.margay("", "get", "np", "-f", "-")).isEqualTo(2);
  }

  @Test
  void ten_thousand_objects_are_listed() throws Exception {
    for (int i = 0; i < 10_000; i++) {
      margay.store.commit(
          Txn.create(
              "/calico/resources/v3/projectcalico.org/globalnetworksets/s" + i,
              "{\"kind\":\"GlobalNetworkSet\",\"apiVersion\":\"projectcalico.org/v3\",\"metadata\":"
                  + "{\"name\":\"s"
                  + i
                  + "\"},\"spec\":{\"nets\":[\"10.0.0.0/8\"]}}"));
    }
    assertThat(get("globalnetworksets").lines()).hasSize(10_002);
    assertThat(get("globalnetworksets", "-o", "yaml").lines()).hasSizeGreaterThan(70_000);
  }
}
