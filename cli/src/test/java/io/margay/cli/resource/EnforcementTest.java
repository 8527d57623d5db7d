package io.margay.cli.resource;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.Listing;
import io.margay.datastore.Txn;
import io.margay.datastore.json.ResourceKeys;
import io.margay.model.resource.Kind;
import io.margay.model.resource.ResourceRef;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// `get` says what agents make of what is stored.
class EnforcementTest {

  private static final String EARLIER =
      " (an agent that knows an earlier, valid version goes by that)";

  private final MargayRun margay = new MargayRun();

  private void stored(Kind kind, String namespace, String name, String spec) throws Exception {
    ResourceRef ref = new ResourceRef(kind, namespace, name);
    String metadata =
        namespace.isEmpty()
            ? "{\"name\":\"%s\"}".formatted(name)
            : "{\"name\":\"%s\",\"namespace\":\"%s\"}".formatted(name, namespace);
    margay.store.commit(
        Txn.create(
            ResourceKeys.key(ref),
            "{\"kind\":\"%s\",\"apiVersion\":\"projectcalico.org/v3\",\"metadata\":%s,\"spec\":%s}"
                .formatted(kind.kindName(), metadata, spec)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"ps", "wide", "yaml", "json", "name"})
  void a_policy_with_a_bad_rule_is_one_line_that_says_it_denies(String format) throws Exception {
    stored(
        Kind.NETWORK_POLICY,
        "default",
        "broken",
        "{\"selector\":\"all()\",\"ingress\":[{\"action\":\"Allow\",\"source\":{\"nets\":"
            + "[\"10.0.0.0/33\"]}},{\"action\":\"Maybe\"}]}");

    assertThat(margay.margay("", "get", "np", "-o", format)).isEqualTo(1);
    assertThat(margay.err)
        .startsWith("NetworkPolicy(default/broken): stored, but spec.ingress[0].source.nets[0]: ")
        .contains("; spec.ingress[1].action: ")
        .endsWith("; the policy denies everything it selects" + EARLIER + "\n")
        .hasLineCount(1);
  }

  @Test
  void a_policy_whose_selector_does_not_parse_does_nothing_and_get_says_so() throws Exception {
    stored(Kind.GLOBAL_NETWORK_POLICY, "", "whom", "{\"selector\":\"role == \"}");

    assertThat(margay.margay("", "get", "gnp")).isEqualTo(1);
    assertThat(margay.err)
        .startsWith("GlobalNetworkPolicy(whom): stored, but spec.selector: ")
        .endsWith("; what the policy selects isn't known, it does nothing" + EARLIER + "\n");
    assertThat(margay.margay("", "get", "gnp", "whom")).isEqualTo(1);
    assertThat(margay.err).contains("it does nothing").hasLineCount(1);
  }

  @Test
  void a_policy_in_a_tier_that_is_not_there_is_valid_and_denies() throws Exception {
    stored(Kind.GLOBAL_NETWORK_POLICY, "", "p", "{\"tier\":\"gone\",\"selector\":\"all()\"}");

    assertThat(margay.margay("", "get", "gnp")).isZero();
    assertThat(margay.err)
        .isEqualTo(
            "GlobalNetworkPolicy(p): not followed as written: tier \"gone\" does not exist; the"
                + " policy denies everything it selects until the tier is created\n");
    stored(Kind.TIER, "", "gone", "{\"order\":10}");
    assertThat(margay.margay("", "get", "gnp")).isZero();
    assertThat(margay.err).isEmpty();
    assertThat(margay.margay("", "get", "tiers,gnp")).isZero();
    assertThat(margay.err).isEmpty();
  }

  @Test
  void sets_profiles_endpoints_pools_and_knobs_have_their_consequence() throws Exception {
    stored(Kind.GLOBAL_NETWORK_SET, "", "s", "{\"nets\":[\"10.0.0.0/8\",\"10.0.0.0/33\"]}");
    stored(Kind.PROFILE, "", "pr", "{\"ingress\":[{\"action\":\"Maybe\"}]}");
    stored(Kind.HOST_ENDPOINT, "", "h", "{\"node\":\"n1\",\"interfaceName\":7}");
    stored(Kind.IP_POOL, "", "wrapped", "{\"cidr\":\"10.64.0.0/16\",\"ipipMode\":\"Always\"}");
    stored(Kind.IP_POOL, "", "odd", "{\"cidr\":\"10.65.0.0/99\"}");
    stored(Kind.FELIX_CONFIGURATION, "", "node.n1", "{\"wireguardEnabled\":true}");
    stored(
        Kind.KUBE_CONTROLLERS_CONFIGURATION,
        "",
        "default",
        "{\"controllers\":{\"node\":{\"hostEndpoint\":{\"autoCreate\":\"Enabled\"}}}}");

    margay.margay(
        "", "get", "globalnetworkset,profile,hep,ippool,felixconfig,kubecontrollersconfig");

    assertThat(margay.err.lines())
        .anyMatch(
            line ->
                line.startsWith("GlobalNetworkSet(s): stored, but spec.nets[1]: ")
                    && line.contains("; the rest of the set is in force"))
        .anyMatch(line -> line.startsWith("Profile(pr): ") && line.contains("; the profile denies"))
        .anyMatch(
            line ->
                line.startsWith("HostEndpoint(h): stored, but spec.interfaceName: ")
                    && line.contains("; if it is this node's, the interface is not policed"))
        .anyMatch(
            line ->
                line.startsWith("IPPool(wrapped): not followed as written: ipipMode Always ")
                    && line.endsWith("; no agent takes an address from it"))
        .anyMatch(
            line ->
                line.startsWith("IPPool(odd): stored, but spec.cidr: ")
                    && line.contains("; it is taken for absent"))
        .anyMatch(
            line ->
                line.startsWith("FelixConfiguration(node.n1): not followed as written: wireguard"))
        .anyMatch(
            line ->
                line.startsWith(
                    "KubeControllersConfiguration(default): not followed as written: spec."))
        .hasSize(7);
  }

  @Test
  void a_peer_without_a_session_and_its_filter_say_why() throws Exception {
    stored(Kind.NODE, "", "n1", "{\"bgp\":{\"ipv4Address\":\"192.0.2.1/24\"}}");
    stored(
        Kind.BGP_FILTER, "", "newer", "{\"importV4\":[{\"action\":\"Accept\",\"moon\":\"full\"}]}");
    stored(
        Kind.BGP_PEER,
        "",
        "tor",
        "{\"peerIP\":\"192.0.2.9\",\"asNumber\":64601,\"filters\":[\"newer\"]}");
    stored(
        Kind.BGP_CONFIGURATION,
        "",
        "default",
        "{\"serviceClusterIPs\":[{\"cidr\":\"10.96.0.0/12\"}]}");

    assertThat(margay.margay("", "get", "bgppeers")).isZero();
    assertThat(margay.err)
        .startsWith(
            "BGPPeer(tor): not followed as written: BGPFilter newer: spec.importV4[0].moon:")
        .endsWith("; no session is made\n");
    assertThat(margay.margay("", "get", "bgpfilters")).isZero();
    assertThat(margay.err)
        .startsWith("BGPFilter(newer): not followed as written: spec.importV4[0].moon: ")
        .contains("no session is made (BGPPeer tor)");
    assertThat(margay.margay("", "get", "bgpconfig")).isZero();
    assertThat(margay.err)
        .isEqualTo(
            "BGPConfiguration(default): not followed as written: serviceClusterIPs has no effect"
                + " here; services are not announced\n");
  }

  @Test
  void a_peer_of_one_node_among_many_is_looked_at() throws Exception {
    for (int i = 0; i <= Enforcement.MAX_NODES; i++) {
      stored(
          Kind.NODE, "", "n" + i, "{\"bgp\":{\"ipv4Address\":\"192.0.2.%d/24\"}}".formatted(i + 1));
    }
    stored(
        Kind.BGP_PEER,
        "",
        "tor",
        "{\"node\":\"n99\",\"peerIP\":\"192.0.2.250\",\"asNumber\":64601,"
            + "\"filters\":[\"none\"]}");

    assertThat(margay.margay("", "get", "bgppeers", "-o", "name")).isZero();
    assertThat(margay.err)
        .isEqualTo(
            "BGPPeer(tor): not followed as written: BGPFilter none does not exist; no session is"
                + " made\n");
  }

  @Test
  void an_as_of_0_ends_no_command() throws Exception {
    stored(Kind.NODE, "", "n1", "{\"bgp\":{\"ipv4Address\":\"192.0.2.1/24\"}}");
    stored(Kind.BGP_CONFIGURATION, "", "default", "{\"asNumber\":0}");
    stored(Kind.BGP_PEER, "", "tor", "{\"peerIP\":\"192.0.2.9\",\"asNumber\":64601}");

    assertThat(margay.margay("", "get", "bgppeers,bgpconfig", "-o", "name")).isZero();
    assertThat(margay.out).isEqualTo("bgppeer/tor\nbgpconfiguration/default\n");
  }

  @Test
  void an_endpoint_asks_for_what_its_node_does_not_do() throws Exception {
    stored(
        Kind.WORKLOAD_ENDPOINT,
        "default",
        "n1-k8s-a-eth0",
        "{\"orchestrator\":\"k8s\",\"node\":\"n1\",\"pod\":\"a\",\"endpoint\":\"eth0\","
            + "\"interfaceName\":\"cali1\",\"ipNetworks\":[\"10.64.0.1/32\"],"
            + "\"ipNATs\":[{\"internalIP\":\"10.64.0.1\",\"externalIP\":\"192.0.2.77\"}]}");

    assertThat(margay.margay("", "get", "wep")).isZero();
    assertThat(margay.err)
        .startsWith(
            "WorkloadEndpoint(default/n1-k8s-a-eth0): not followed as written: spec.ipNATs");
  }

  @Test
  void what_views_can_not_show_is_told_too() throws Exception {
    margay.store.commit(
        Txn.builder()
            .put("/margay/v1/pods/default/web", "{\"metadata\":{\"labels\":7}}")
            .put("/margay/v1/pods/default/other", "not JSON")
            .put("/margay/v1/endpointslices/default/s", "[]")
            .put("/calico/ipam/v2/assignment/ipv4/block/10.64.0.0-26", "{")
            .put("/calico/ipam/v2/handle/h", "")
            .put("/calico/ipam/v2/host/n1/ipv4/block/10.64.0.0-26", "{\"state\":\"odd\"}")
            .put("/calico/ipam/v2/host/n1", "")
            .build());

    assertThat(margay.margay("", "get", "pods,endpointslices")).isEqualTo(1);
    assertThat(margay.err.lines())
        .anyMatch(
            line ->
                line.startsWith("Pod(default/web): stored, but metadata.labels: ")
                    && line.endsWith("; its endpoint stays as it is"))
        .anyMatch(line -> line.startsWith("Pod(default/other): stored, but document: is not JSON"))
        .anyMatch(
            line ->
                line.startsWith("EndpointSlice(default/s): stored, but ")
                    && line.endsWith("its service lacks its endpoints"))
        .hasSize(3);
    assertThat(margay.margay("", "get", "pod", "web", "-o", "name")).isEqualTo(1);
    assertThat(margay.err).startsWith("Pod(default/web): stored, but ").hasLineCount(1);
    assertThat(margay.margay("", "get", "ipamblocks,ipamhandles,blockaffinities")).isEqualTo(1);
    assertThat(margay.err.lines())
        .anyMatch(line -> line.startsWith("IPAMBlock(10-64-0-0-26): stored, but "))
        .anyMatch(line -> line.startsWith("IPAMHandle(h): stored, but "))
        .anyMatch(line -> line.startsWith("BlockAffinity(n1-10-64-0-0-26): stored, but "))
        .allMatch(line -> line.contains("; nothing is assigned or freed there until"))
        .hasSize(3);
  }

  @Test
  void who_may_not_read_tiers_gets_the_policies_and_no_guesses() throws Exception {
    stored(Kind.GLOBAL_NETWORK_POLICY, "", "p", "{\"tier\":\"secret\",\"selector\":\"all()\"}");
    margay.opener = _ -> withoutTiers();

    assertThat(margay.margay("", "get", "gnp", "-o", "name")).isZero();
    assertThat(margay.err).isEmpty();
    assertThat(margay.out).isEqualTo("globalnetworkpolicy/p\n");
  }

  private Datastore withoutTiers() {
    return new MargayRun.Forwarding(margay.store) {
      @Override
      public Listing list(String prefix) throws DatastoreException {
        if (prefix.equals(ResourceKeys.prefix(Kind.TIER))) {
          throw new DatastoreException(
              DatastoreException.Kind.UNAUTHORISED, "http://192.0.2.1:2379", "permission denied");
        }
        return super.list(prefix);
      }
    };
  }
}
