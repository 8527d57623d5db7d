package io.margay.agent.cni;

import static java.time.Instant.EPOCH;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.Duty;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.journal.Workload;
import io.margay.cni.spec.AttachmentId;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.AssignIpRequest;
import io.margay.ipam.AssignRequest;
import io.margay.ipam.AssignResult;
import io.margay.ipam.Assignment;
import io.margay.ipam.Ipam;
import io.margay.ipam.Pool;
import io.margay.ipam.Pools;
import io.margay.ipam.SameTxn;
import io.margay.linux.netns.Netns;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.MacAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.model.resource.WorkloadEndpointSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EndpointRestorerTest {

  private static final IpAddress FOUR = IpAddress.parse("10.65.0.7");
  private static final IpAddress SIX = IpAddress.parse("fd00:65::7");
  private static final IpAddress OTHER = IpAddress.parse("10.65.0.8");
  private static final Duration SOON = Duration.ofMillis(10);

  @TempDir private Path directory;
  private AttachmentJournal journal;
  private final InMemoryDatastore store = new InMemoryDatastore();
  private final Ipam ipam =
      new Ipam(
          store,
          () -> EPOCH,
          Pools.of(
              Pool.of("four", Prefix.parse("10.65.0.0/24"), 26),
              Pool.of("six", Prefix.parse("fd00:65::/112"), 122)),
          (address, handle) -> journal.isOfAnother(address, handle));
  private final List<WorkloadEndpoint> handedIn = new ArrayList<>();
  private EndpointRestorer restorer;

  @BeforeEach
  void open() throws Exception {
    journal = AttachmentJournal.open(directory);
    restorer =
        new EndpointRestorer(
            "n1",
            store,
            ipam,
            journal,
            new EndpointDirectory(_ -> Optional.empty()),
            () -> true,
            () -> EPOCH,
            SOON);
  }

  @AfterEach
  void close() {
    restorer.close();
    ipam.close();
    store.close();
  }

  private static Attachment attachment(String container) {
    return new Attachment(
        new AttachmentId(container, new InterfaceName("eth0")),
        "net",
        new Workload.Pod("ns", "web"),
        new Netns.NetnsId(1, 2),
        "/run/netns/x",
        new InterfaceName("cali0"),
        MacAddress.parse("02:00:00:00:00:01"),
        1500,
        Map.of());
  }

  private static WorkloadEndpoint endpoint(String container, IpAddress... addresses) {
    return endpoint(container, "k8s", "eth0", addresses);
  }

  private static WorkloadEndpoint endpoint(
      String container, String orchestrator, String name, IpAddress... addresses) {
    return new WorkloadEndpoint(
        Metadata.named("ns", "n1-k8s-web-eth0").withLabels(Map.of("app", "web")),
        new WorkloadEndpointSpec(
            orchestrator,
            null,
            "n1",
            container,
            "web",
            name,
            "default",
            List.of(addresses).stream().map(IpAddress::toHostPrefix).toList(),
            List.of(),
            null,
            null,
            List.of("kns.ns"),
            new InterfaceName("cali0"),
            null,
            List.of(),
            List.of(),
            Map.of(),
            Map.of()));
  }

  private void wire(String container, IpAddress... addresses) throws Exception {
    journal.write(
        new JournalEntry.Committed(attachment(container), journal.bootId(), List.of(addresses)));
  }

  private Optional<String> stored() throws Exception {
    return store.get(ResourceKeys.key(endpoint("x").ref())).map(KeyValue::value);
  }

  private void await(WorkloadEndpoint wanted) throws Exception {
    for (int i = 0; i < 2_000 && !stored().equals(Optional.of(ResourceJson.encode(wanted))); i++) {
      Thread.sleep(10);
    }
    assertThat(stored()).contains(ResourceJson.encode(wanted));
  }

  private AssignResult assign(String handle, IpAddress address) throws Exception {
    return ipam.assignIp(new AssignIpRequest(address, handle, "n2", Map.of(), SameTxn.nothing()));
  }

  @Test
  void an_endpoint_of_dockers_is_known_by_its_container_while_it_is_joined() throws Exception {
    String id = "d62e3a99182cd43dc4a9ce698ec2333e07e119b06f1ba183d23b038d9d8f8b3c";
    WorkloadEndpoint document = endpoint("0242ba2b52cd-676b622e", "libnetwork", id, FOUR);
    for (Duty.Step step : Duty.Step.values()) {
      journal.write(
          new JournalEntry.Committed(
              attachment("0242ba2b52cd-676b622e").with(new Duty.Stepwise(step)),
              journal.bootId(),
              List.of(FOUR)));
      assertThat(restorer.isWired(document)).isEqualTo(step == Duty.Step.JOINED);
    }
    assertThat(restorer.isWired(endpoint("c1", "k8s", id, FOUR)))
        .as("a name that no interface has")
        .isFalse();
  }

  @Test
  void a_lost_endpoint_is_written_again_with_its_addresses() throws Exception {
    wire("c1", FOUR, SIX);
    WorkloadEndpoint lost = endpoint("c1", FOUR, SIX);
    restorer.restore(lost);
    await(lost);
    assertThat(assign("net.other", FOUR)).isInstanceOf(AssignResult.Unavailable.class);
    assertThat(assign("net.other", SIX)).isInstanceOf(AssignResult.Unavailable.class);
    assertThat(assign("net.c1", FOUR)).isInstanceOf(AssignResult.Assigned.class);
  }

  @Test
  void until_it_is_written_its_addresses_are_given_to_nobody_else() throws Exception {
    List<IpAddress> first =
        IntStream.range(0, 8).mapToObj(i -> IpAddress.parse("10.65.0." + i)).toList();
    wire("c1", first.toArray(IpAddress[]::new));
    AssignResult next =
        ipam.assign(
            new AssignRequest("net.c2", "n1", 1, 0, Map.of(), List.of(), SameTxn.nothing()));
    assertThat(next)
        .isInstanceOfSatisfying(
            AssignResult.Assigned.class,
            given ->
                assertThat(given.assignments())
                    .extracting(Assignment::address)
                    .doesNotContainAnyElementsOf(first));
    assertThat(assign("net.c3", first.get(3)))
        .isEqualTo(
            new AssignResult.Unavailable(
                first.get(3),
                "another pod of this node has it, though the datastore calls it free"));
    assertThat(assign("net.c1", first.get(3))).isInstanceOf(AssignResult.Assigned.class);
    journal.write(new JournalEntry.Releasing(attachment("c1"), journal.bootId()));
    assertThat(assign("net.c3", first.get(4))).isInstanceOf(AssignResult.Assigned.class);
  }

  @Test
  void that_of_a_container_before_it_is_replaced() throws Exception {
    wire("c2", FOUR);
    WorkloadEndpoint before = endpoint("c1", OTHER);
    store.commit(Txn.builder().put(ResourceKeys.key(before), ResourceJson.encode(before)).build());
    restorer.restore(endpoint("c2", FOUR));
    await(endpoint("c2", FOUR));
  }

  @Test
  void one_that_an_add_has_written_meanwhile_stays() throws Exception {
    wire("c1", FOUR);
    WorkloadEndpoint written =
        endpoint("c1", FOUR).withMetadata(Metadata.named("ns", "n1-k8s-web-eth0"));
    store.commit(
        Txn.builder().put(ResourceKeys.key(written), ResourceJson.encode(written)).build());
    restorer.restore(endpoint("c1", FOUR));
    wire("c3", SIX);
    WorkloadEndpoint other =
        endpoint("c3", SIX).withMetadata(Metadata.named("ns", "n1-k8s-zzz-eth0"));
    restorer.restore(other);
    for (int i = 0; i < 2_000 && store.get(ResourceKeys.key(other)).isEmpty(); i++) {
      Thread.sleep(10);
    }
    assertThat(store.get(ResourceKeys.key(other))).isPresent();
    assertThat(stored()).contains(ResourceJson.encode(written));
  }

  @Test
  void an_address_that_another_holds_is_had_when_he_has_given_it_back() throws Exception {
    assign("net.dead", FOUR);
    wire("c1", FOUR);
    restorer.restore(endpoint("c1", FOUR));
    Thread.sleep(5 * SOON.toMillis());
    assertThat(stored()).isEmpty();
    ipam.releaseByHandle("net.dead", SameTxn.Extras.NONE);
    await(endpoint("c1", FOUR));
  }

  @Test
  void a_pod_is_that_of_the_journal_with_the_addresses_of_the_journal() throws Exception {
    wire("c1", FOUR);
    journal.write(new JournalEntry.Prepared(attachment("begun"), journal.bootId()));
    assertThat(restorer.isWired(endpoint("c1", FOUR))).isTrue();
    assertThat(restorer.isWired(endpoint("c1", FOUR, SIX))).isTrue();
    assertThat(restorer.isWired(endpoint("c1", OTHER))).isFalse();
    assertThat(restorer.isWired(endpoint("begun", FOUR))).isFalse();
    assertThat(restorer.isWired(endpoint("unknown", FOUR))).isFalse();
  }

  @Test
  void an_endpoint_over_anothers_addresses_is_written_without_them() throws Exception {
    IpAddress foreign = IpAddress.parse("192.0.2.7");
    journal.write(
        new JournalEntry.Committed(
            attachment("c1").with(new Duty.Policed(false)), journal.bootId(), List.of(foreign)));
    restorer.restore(endpoint("c1", foreign));
    await(endpoint("c1", foreign));
  }

  @Test
  void addresses_without_an_endpoint_are_had_again_when_the_store_is_another() throws Exception {
    journal.write(
        new JournalEntry.Committed(
            attachment("c1").with(new Duty.Addresses()), journal.bootId(), List.of(FOUR)));
    restorer.onReplaced();
    for (int i = 0; i < 2_000 && assign("net.other", FOUR) instanceof AssignResult.Assigned; i++) {
      ipam.releaseByHandle("net.other", SameTxn.Extras.NONE);
      Thread.sleep(10);
    }
    assertThat(assign("net.c1", FOUR)).isInstanceOf(AssignResult.Assigned.class);
    assertThat(stored()).isEmpty();
  }

  @Test
  void what_the_first_state_lacks_is_taken_from_the_last_known_good_one() throws Exception {
    wire("c1", FOUR);
    WorkloadEndpoint known = endpoint("c1", FOUR);
    KeyValue item = new KeyValue(ResourceKeys.key(known), ResourceJson.encode(known), 7);
    restorer.restoreLacking(
        _ -> Optional.of(known.ref()),
        () -> {
          throw new AssertionError("nothing is lacking");
        },
        handedIn::add);
    assertThat(handedIn).isEmpty();
    restorer.restoreLacking(_ -> Optional.empty(), () -> List.of(item), handedIn::add);
    assertThat(handedIn)
        .extracting(ResourceJson::encode)
        .containsExactly(ResourceJson.encode(known));
    await(known);
  }

  @Test
  void a_pod_of_before_the_machine_started_is_not_looked_for() throws Exception {
    journal.write(new JournalEntry.Committed(attachment("c1"), "an earlier boot", List.of(FOUR)));
    restorer.restoreLacking(
        _ -> Optional.empty(),
        () -> {
          throw new AssertionError("nothing is lacking");
        },
        handedIn::add);
    assertThat(handedIn).isEmpty();
  }
}
