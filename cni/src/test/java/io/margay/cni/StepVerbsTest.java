package io.margay.cni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.Duty;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.protocol.CniCall;
import io.margay.cni.protocol.CniReply;
import io.margay.cni.protocol.CniRequest;
import io.margay.cni.protocol.CniVariable;
import io.margay.cni.protocol.DeletionQueue;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.cni.spec.PortMapping;
import io.margay.linux.netns.Netns;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.MacAddress;
import io.margay.model.resource.Protocol;
import io.margay.model.resource.WorkloadEndpoint;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// An endpoint's life in single steps, on the verbs' in-memory ports.
final class StepVerbsTest {

  private static final String ONE =
      "d62e3a99182cd43dc4a9ce698ec2333e07e119b06f1ba183d23b038d9d8f8b3c";
  private static final String TWO =
      "fc199940a212e0f6f1f32d3571fa9d09168ca4e2d8e5fb4b7bb5cfe0eff050f8";
  private static final MacAddress MAC = MacAddress.parse("02:42:ba:2b:52:cd");
  private static final PodAddresses.Wish V4 =
      new PodAddresses.Wish(Set.of(IpFamily.IPV4), List.of(), List.of(), List.of());
  private static final PodAddresses.Wish V6 =
      new PodAddresses.Wish(Set.of(IpFamily.IPV6), List.of(), List.of(), List.of());
  private static final Duration GRACE = Duration.ofSeconds(30);

  @TempDir Path directory;
  private final InMemoryAddresses addresses = new InMemoryAddresses();
  private final InMemoryNetwork network = new InMemoryNetwork();
  private final InMemoryPolicy policy = new InMemoryPolicy();
  private AttachmentJournal journal;
  private CniVerbs verbs;
  private StepVerbs steps;
  private Instant now = Instant.parse("2026-01-01T00:00:00Z");

  @BeforeEach
  void start() throws IOException {
    journal = AttachmentJournal.open(directory);
    verbs =
        new CniVerbs(
            new CniNode("node-1", "cali", 1500, new Netns.NetnsId(1, 1)),
            journal,
            addresses,
            network,
            policy,
            _ -> Optional.empty(),
            new ReleaseQueue(Runnable::run),
            new DeletionQueue(directory.resolve("delq")),
            (_, _) -> Optional.empty());
    steps = verbs.steps();
  }

  private static StepVerbs.Endpoint endpoint(String id, PortMapping... ports) {
    return new StepVerbs.Endpoint(
        id, "web", Map.of("role", "db"), List.of(ports), Optional.of(1400));
  }

  private List<IpAddress> leased() throws CniException {
    return List.of(steps.lease(MAC, V4), steps.lease(MAC, V6));
  }

  private List<IpAddress> joined(String id) throws CniException {
    List<IpAddress> held = leased();
    steps.create(endpoint(id), held);
    steps.join(id, "/run/docker/netns/" + id.substring(0, 12));
    return held;
  }

  private void assertNothingIsLeft() {
    assertThat(journal.all()).isEmpty();
    assertThat(addresses.handles).isEmpty();
    assertThat(addresses.endpoints).isEmpty();
    assertThat(network.wires).isEmpty();
    assertThat(policy.applied).isEmpty();
  }

  @Test
  void both_families_of_an_endpoint_are_under_one_handle() throws CniException {
    leased();
    assertThat(addresses.handles).hasSize(1);
    String handle = addresses.handles.keySet().iterator().next();
    assertThat(handle).matches("libnetwork\\.0242ba2b52cd-[0-9a-f]{8}");
    assertThat(addresses.handles.get(handle)).hasSize(2);
    steps.lease(MAC, V4);
    assertThat(addresses.handles).as("one that has the same MAC address").hasSize(2);
  }

  @Test
  void an_endpoint_is_named_labelled_and_wired_as_calicos_plugin_does() throws CniException {
    List<IpAddress> held = leased();
    assertThat(steps.create(endpoint(ONE), held)).isEqualTo(MAC);
    assertThat(addresses.endpoints).as("before it is joined").isEmpty();
    StepVerbs.Joined joined = steps.join(ONE, "/run/docker/netns/x");
    assertThat(joined.podEnd().value()).isEqualTo("tempd62e3a99182");
    assertThat(joined.families()).containsExactlyInAnyOrder(IpFamily.values());
    WorkloadEndpoint document = addresses.endpoints.values().iterator().next();
    assertThat(document.metadata().name()).isEqualTo("node--1-libnetwork-libnetwork-" + ONE);
    assertThat(document.metadata().labels())
        .containsEntry("role", "db")
        .containsEntry("projectcalico.org/orchestrator", "libnetwork");
    assertThat(document.spec().profiles()).containsExactly("web");
    assertThat(document.spec().workload()).isEqualTo("libnetwork");
    assertThat(document.spec().endpoint()).isEqualTo(ONE);
    assertThat(document.spec().ipNetworks())
        .containsExactlyElementsOf(held.stream().map(IpAddress::toHostPrefix).toList());
    assertThat(network.wires).containsOnlyKeys("calid62e3a99182");
    Attachment wired = network.wires.values().iterator().next();
    assertThat(wired.mtu()).isEqualTo(1400);
    assertThat(policy.applied).hasSize(1);
    assertThat(Attachment.of(document)).contains(wired.id());
  }

  @Test
  void steps_back_leave_nothing_and_are_repeated_without_harm() throws CniException {
    List<IpAddress> held = joined(ONE);
    for (int round = 0; round < 2; round++) {
      steps.leave(ONE);
      assertThat(network.wires).isEmpty();
      assertThat(policy.applied).isEmpty();
    }
    steps.join(ONE, "/run/docker/netns/y");
    assertThat(network.wires).as("joined again").hasSize(1);
    for (int round = 0; round < 2; round++) {
      steps.leave(ONE);
      steps.delete(ONE);
    }
    assertThat(addresses.handles).as("still held").hasSize(1);
    steps.giveBack(held.get(0));
    steps.giveBack(held.get(1));
    assertNothingIsLeft();
  }

  @Test
  void steps_forward_that_are_repeated_answer_the_same() throws CniException {
    List<IpAddress> held = leased();
    steps.create(endpoint(ONE), held);
    assertThat(steps.create(endpoint(ONE), held)).isEqualTo(MAC);
    StepVerbs.Joined first = steps.join(ONE, "/run/docker/netns/x");
    network.fails = true;
    assertThat(steps.join(ONE, "/run/docker/netns/x"))
        .as("the wire is there and is not made again")
        .isEqualTo(first);
  }

  @Test
  void a_join_that_fails_can_be_repeated_and_leaves_nothing_meanwhile() throws CniException {
    List<IpAddress> held = leased();
    steps.create(endpoint(ONE), held);
    policy.fails = true;
    assertThatThrownBy(() -> steps.join(ONE, "/run/docker/netns/x"))
        .isInstanceOf(CniException.class)
        .hasMessageContaining("too slow");
    assertThat(network.wires).isEmpty();
    assertThat(addresses.endpoints).isEmpty();
    assertThat(policy.applied).isEmpty();
    policy.fails = false;
    steps.join(ONE, "/run/docker/netns/x");
    assertThat(network.wires).hasSize(1);
  }

  @Test
  void a_lost_answer_about_an_address_leaves_no_address() {
    addresses.failsAfterCommit = true;
    assertThatThrownBy(() -> steps.lease(MAC, V4)).isInstanceOf(CniException.class);
    assertNothingIsLeft();
  }

  @Test
  void the_next_process_goes_on_where_this_one_ended() throws Exception {
    List<IpAddress> held = leased();
    start();
    verbs.recover();
    steps.create(endpoint(ONE), held);
    start();
    verbs.recover();
    steps.join(ONE, "/run/docker/netns/x");
    start();
    verbs.recover();
    assertThat(network.wires).hasSize(1);
    steps.leave(ONE);
    steps.delete(ONE);
    start();
    verbs.recover();
    steps.giveBack(held.getFirst());
    assertNothingIsLeft();
  }

  @Test
  void what_docker_never_came_back_for_is_reclaimed() throws CniException {
    joined(ONE);
    steps.lease(MacAddress.parse("02:42:00:00:00:09"), V4);
    List<IpAddress> created = List.of(steps.lease(MacAddress.parse("02:42:00:00:00:0a"), V4));
    steps.create(endpoint(TWO), created);
    try (SelfReclaim reclaim = new SelfReclaim(verbs, () -> GRACE, () -> now)) {
      reclaim.compareAndSettle();
      now = now.plus(GRACE);
      reclaim.compareAndSettle();
      assertThat(journal.all())
          .as("one whose wire is there")
          .singleElement()
          .extracting(entry -> entry.attachment().duty())
          .isEqualTo(new Duty.Stepwise(Duty.Step.JOINED));
      network.wires.clear();
      reclaim.compareAndSettle();
      now = now.plus(GRACE);
      reclaim.compareAndSettle();
    }
    assertNothingIsLeft();
    assertThatThrownBy(() -> steps.join(TWO, "/x"))
        .hasMessageContaining("knows no endpoint " + TWO)
        .hasMessageContaining("start the container again");
  }

  @Test
  void an_address_given_back_while_it_is_in_use_cuts_its_endpoint_off() throws CniException {
    List<IpAddress> held = joined(ONE);
    steps.giveBack(held.getLast());
    assertNothingIsLeft();
  }

  @Test
  void without_the_datastore_an_endpoint_goes_and_its_addresses_follow() throws CniException {
    List<IpAddress> held = joined(ONE);
    addresses.awayForReleases = true;
    steps.leave(ONE);
    steps.delete(ONE);
    steps.giveBack(held.getFirst());
    assertThat(journal.all()).singleElement().isInstanceOf(JournalEntry.Releasing.class);
    addresses.awayForReleases = false;
    assertThat(verbs.repeatReleases()).isZero();
    assertNothingIsLeft();
  }

  @Test
  void addresses_that_are_nobodys_or_anothers_make_no_endpoint() throws CniException {
    List<IpAddress> held = joined(ONE);
    for (List<IpAddress> wrong :
        List.of(held, List.of(IpAddress.parse("10.9.9.9")), List.<IpAddress>of())) {
      assertThatThrownBy(() -> steps.create(endpoint(TWO), wrong))
          .isInstanceOfSatisfying(
              CniException.class,
              refused -> assertThat(refused.error().code()).isEqualTo(CniError.ADDRESS_UNAVAILABLE))
          .hasMessageContaining(TWO);
    }
  }

  @Test
  void a_port_of_the_node_leads_to_one_endpoint_and_to_an_address_it_has() throws CniException {
    PortMapping port = new PortMapping(8080, 80, Protocol.Named.TCP, Optional.empty());
    steps.create(endpoint(ONE, port), List.of(steps.lease(MAC, V4)));
    List<IpAddress> other = List.of(steps.lease(MAC, V4));
    assertThatThrownBy(() -> steps.create(endpoint(TWO, port), other))
        .hasMessageContaining("8080/tcp is taken by Docker endpoint " + ONE);
    PortMapping six =
        new PortMapping(8081, 80, Protocol.Named.TCP, Optional.of(IpAddress.parse("fd00::9")));
    assertThatThrownBy(() -> steps.create(endpoint(TWO, six), other))
        .hasMessageContaining("without an IPv6 address");
    steps.create(endpoint(TWO), other);
  }

  @Test
  void a_cni_runtimes_garbage_collection_spares_it() throws Exception {
    joined(ONE);
    CniRequest gc =
        new CniRequest(
            Map.of(CniVariable.COMMAND, "GC", CniVariable.PATH, "/opt/cni/bin"),
            "margay-cni",
            "{\"cniVersion\":\"1.1.0\",\"name\":\"libnetwork\",\"cni.dev/valid-attachments\":[]}"
                .getBytes(StandardCharsets.UTF_8));
    assertThat(verbs.handle(new CniCall(gc, Optional.empty(), Optional.empty(), () -> false)))
        .isEqualTo(CniReply.success(""));
    assertThat(journal.all()).hasSize(1);
    AttachmentId id = journal.all().getFirst().attachment().id();
    assertThat(verbs.looksGone(id)).isFalse();
  }
}
