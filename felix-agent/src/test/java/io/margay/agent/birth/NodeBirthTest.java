package io.margay.agent.birth;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.settings.AddressChoice;
import io.margay.agent.settings.AgentSettings;
import io.margay.datastore.Datastore;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.resource.AddressOnLink;
import io.margay.model.resource.ClusterInformation;
import io.margay.model.resource.IPPool;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Node;
import io.margay.model.resource.NodeBgp;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeBirthTest {

  private static final InstantSource CLOCK =
      InstantSource.fixed(Instant.parse("2026-03-01T12:00:00.5Z"));
  private static final String NODE = key(Kind.NODE, "n1");
  private static final String CLUSTER = key(Kind.CLUSTER_INFORMATION, "default");

  @TempDir private Path directory;
  private final InMemoryDatastore datastore = new InMemoryDatastore();
  private final Map<IpFamily, String> kernel =
      new HashMap<>(Map.of(IpFamily.IPV4, "192.0.2.7/24", IpFamily.IPV6, "2001:db8::7/64"));

  @AfterEach
  void close() {
    datastore.close();
  }

  @Test
  void an_empty_datastore_gets_a_cluster_and_a_node_and_nothing_twice() throws Exception {
    NodeBirth birth = birth("bgp: {ipv6: first-found, asNumber: 65001}");
    finish(birth);
    ClusterInformation cluster = (ClusterInformation) read(CLUSTER);
    assertThat(cluster.spec().clusterGUID()).matches("[0-9a-f]{32}");
    assertThat(cluster.spec().datastoreReady()).isTrue();
    Node node = (Node) read(NODE);
    assertThat(ResourceJson.encode(node))
        .contains(
            "\"bgp\":{\"asNumber\":65001,\"ipv4Address\":\"192.0.2.7/24\",\"ipv6Address\":\"2001:db8::7/64\"}")
        .contains("\"creationTimestamp\":\"2026-03-01T12:00:00Z\"");
    assertThat(node.metadata().uid()).isNotNull();
    assertThat(datastore.list(ResourceKeys.prefix(Kind.IP_POOL)).items()).isEmpty();

    long revision = datastore.list("/").revision();
    assertThat(birth.look()).isEqualTo(NodeBirth.Outcome.DONE);
    assertThat(birth("").look()).isEqualTo(NodeBirth.Outcome.DONE);
    assertThat(datastore.list("/").revision()).isEqualTo(revision);
  }

  @Test
  void a_detected_address_that_changes_is_written_and_the_rest_is_left_as_it_is() throws Exception {
    put(
        NODE,
        """
        {"apiVersion":"projectcalico.org/v3","kind":"Node","metadata":{"name":"n1","labels":{"rack":"r1"},\
        "creationTimestamp":null},"spec":{"bgp":{"asNumber":64999,"ipv4Address":"192.0.2.7/24","ipv6Address":\
        "2001:db8::1/64","routeReflectorClusterID":"1.2.3.4"},"ipv4VXLANTunnelAddr":"10.65.0.1","orchRefs":\
        [{"nodeName":"k1","orchestrator":"k8s"}]},"status":{}}\
        """);
    NodeBirth birth = birth("bgp: {ipv4: first-found}");
    finish(birth);
    Node before = (Node) read(NODE);
    assertThat(before.metadata().labels()).containsEntry("rack", "r1");
    kernel.put(IpFamily.IPV4, "192.0.2.99/24");
    finish(birth);
    Node after = (Node) read(NODE);
    assertThat(bgp(after).ipv4Address()).hasToString("192.0.2.99/24");
    assertThat(bgp(after).ipv6Address()).hasToString("2001:db8::1/64");
    assertThat(after.withSpec(before.spec()).withMetadata(before.metadata())).isEqualTo(before);
    assertThat(after.spec().orchRefs()).isEqualTo(before.spec().orchRefs());
    assertThat(after.spec().ipv4VXLANTunnelAddr()).hasToString("10.65.0.1");
    assertThat(bgp(after).routeReflectorClusterID()).isEqualTo("1.2.3.4");

    kernel.remove(IpFamily.IPV4);
    finish(birth);
    assertThat(read(NODE)).as("nothing found: what is known stays").isEqualTo(after);
  }

  @Test
  void what_an_operator_wrote_stands_where_settings_say_nothing() throws Exception {
    put(NODE, node("n1", "198.51.100.1/31"));
    finish(birth(""));
    assertThat(bgp((Node) read(NODE)).ipv4Address()).hasToString("198.51.100.1/31");
    finish(birth("bgp: {ipv4: none, ipv6: none}"));
    assertThat(bgp((Node) read(NODE)).ipv4Address()).hasToString("198.51.100.1/31");
    finish(birth("bgp: {ipv4: 198.51.100.1}"));
    assertThat(bgp((Node) read(NODE)).ipv4Address())
        .as("the same address keeps its length")
        .hasToString("198.51.100.1/31");
    finish(birth("bgp: {ipv4: 198.51.100.2}"));
    assertThat(bgp((Node) read(NODE)).ipv4Address()).hasToString("198.51.100.2/32");
  }

  @Test
  void another_nodes_address_is_not_taken() throws Exception {
    put(key(Kind.NODE, "old"), node("old", "192.0.2.7/24"));
    NodeBirth birth = birth("bgp: {ipv4: first-found}");
    finish(birth);
    assertThat(datastore.get(NODE)).isEmpty();
    KeyValue old = datastore.get(key(Kind.NODE, "old")).orElseThrow();
    datastore.commit(Txn.delete(old));
    finish(birth);
    assertThat(datastore.get(NODE)).isPresent();
  }

  @Test
  void a_locked_datastore_is_not_written_to() throws Exception {
    finish(birth(""));
    KeyValue cluster = datastore.get(CLUSTER).orElseThrow();
    datastore.commit(
        Txn.replace(
            cluster,
            cluster.value().replace("\"datastoreReady\":true", "\"datastoreReady\":false")));
    kernel.put(IpFamily.IPV4, "192.0.2.99/24");
    long revision = datastore.list("/").revision();
    assertThat(birth("bgp: {ipv4: first-found}").look()).isEqualTo(NodeBirth.Outcome.HELD_UP);
    assertThat(datastore.list("/").revision()).isEqualTo(revision);
  }

  @Test
  void a_cluster_without_pools_gets_its_first_and_one_with_pools_none() throws Exception {
    String settings =
        "firstPool: {ipv4: 10.65.0.0/16, ipv6: 'fd00:65::/48', blockSize: 28, natOutgoing: true}";
    finish(birth(settings));
    IPPool ipv4 = (IPPool) read(key(Kind.IP_POOL, "default-ipv4-ippool"));
    assertThat(ipv4.spec().cidr()).hasToString("10.65.0.0/16");
    assertThat(ipv4.spec().blockSize()).isEqualTo(28);
    assertThat(ipv4.spec().isNatOutgoing()).isTrue();
    assertThat(ipv4.spec().isWrappedInIp() || ipv4.spec().isWrappedInVxlan()).isFalse();
    IPPool ipv6 = (IPPool) read(key(Kind.IP_POOL, "default-ipv6-ippool"));
    assertThat(ipv6.spec().blockSize()).isEqualTo(122);

    datastore.commit(
        Txn.delete(datastore.get(key(Kind.IP_POOL, "default-ipv4-ippool")).orElseThrow()));
    finish(birth(settings));
    assertThat(datastore.get(key(Kind.IP_POOL, "default-ipv4-ippool"))).isEmpty();
  }

  @Test
  void an_unreadable_node_is_left_alone() throws Exception {
    put(NODE, "{\"kind\":\"Node\",\"metadata\":{\"name\":\"n1\"},\"spec\":{\"bgp\":7}}");
    String before = datastore.get(NODE).orElseThrow().value();
    finish(birth("bgp: {ipv4: first-found}"));
    assertThat(datastore.get(NODE).orElseThrow().value()).isEqualTo(before);
  }

  private NodeBirth birth(String further) throws Exception {
    Path file =
        Files.writeString(
            directory.resolve("agent.yaml"),
            "nodeName: n1\ndatastore: {endpoints: ['http://127.0.0.1:2379']}\n" + further + "\n");
    return new NodeBirth(AgentSettings.read(file, Map.of()), datastore, this::find, CLOCK);
  }

  private Optional<AddressFinder.Found> find(AddressChoice choice, IpFamily family) {
    List<HostLink> links =
        Optional.ofNullable(kernel.get(family))
            .map(
                address ->
                    new HostLink(
                        new InterfaceName("eth0"), true, List.of(AddressOnLink.parse(address))))
            .stream()
            .toList();
    return AddressFinder.find(choice, family, links, _ -> Optional.<IpAddress>empty());
  }

  private static void finish(NodeBirth birth) throws Exception {
    for (int i = 0; i < 5 && birth.look() == NodeBirth.Outcome.LOST_RACE; i++) {
      // Again.
    }
  }

  private Resource read(String key) throws Exception {
    KeyValue item = ((Datastore) datastore).get(key).orElseThrow();
    return ((Decoded.Valid)
            ResourceJson.decode(item.key(), item.value(), item.modRevision()).orElseThrow())
        .resource()
        .withMetadata(
            ((Decoded.Valid)
                    ResourceJson.decode(item.key(), item.value(), item.modRevision()).orElseThrow())
                .resource()
                .metadata()
                .withResourceVersion(null));
  }

  private static NodeBgp bgp(Node node) {
    return Objects.requireNonNull(node.spec().bgp());
  }

  private void put(String key, String value) throws Exception {
    datastore.commit(Txn.builder().put(key, value).build());
  }

  private static String node(String name, String address) {
    return "{\"apiVersion\":\"projectcalico.org/v3\",\"kind\":\"Node\",\"metadata\":{\"name\":\""
        + name
        + "\"},\"spec\":{\"bgp\":{\"ipv4Address\":\""
        + address
        + "\"}}}";
  }

  private static String key(Kind kind, String name) {
    return ResourceKeys.key(ResourceRef.global(kind, name));
  }
}
