package io.margay.cni.journal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.Bandwidth;
import io.margay.cni.spec.Dns;
import io.margay.cni.spec.PortMapping;
import io.margay.linux.netns.Netns;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.MacAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Protocol;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class AttachmentJournalTest {

  @TempDir Path directory;

  private static Attachment attachment(String container, Workload workload) {
    return new Attachment(
        new AttachmentId(container, new InterfaceName("eth0")),
        "net",
        workload,
        new Netns.NetnsId(4, 4_026_532_000L),
        "/run/netns/x",
        new InterfaceName("cali123"),
        MacAddress.parse("02:00:00:00:00:01"),
        1500,
        Map.of("app", "web"));
  }

  @Test
  void every_state_is_read_back_by_a_fresh_process() throws IOException {
    List<JournalEntry> entries =
        List.of(
            new JournalEntry.Prepared(attachment("a", new Workload.Pod("ns", "web-0")), "boot1"),
            new JournalEntry.Committed(
                attachment("b", new Workload.Container("b")),
                "boot1",
                List.of(IpAddress.parse("10.0.0.1"), IpAddress.parse("fd00::1"))),
            new JournalEntry.Releasing(attachment("c", new Workload.Pod("ns", "web-1")), "boot0"));
    AttachmentJournal journal = AttachmentJournal.open(directory, "boot1");
    for (JournalEntry entry : entries) {
      journal.write(entry);
    }
    assertThat(AttachmentJournal.open(directory, "boot1").all())
        .containsExactlyInAnyOrderElementsOf(entries);
  }

  @Test
  void host_ports_and_bandwidth_are_read_back_and_their_absence_too() throws IOException {
    Attachment plain = attachment("a", new Workload.Container("a"));
    Attachment full =
        new Attachment(
            new AttachmentId("b", new InterfaceName("eth0")),
            plain.network(),
            new Workload.Container("b"),
            plain.netns(),
            plain.netnsPath(),
            plain.hostEnd(),
            plain.podMac(),
            plain.mtu(),
            plain.labels(),
            List.of(
                new PortMapping(8080, 80, Protocol.Named.TCP, Optional.empty()),
                new PortMapping(
                    53, 53, Protocol.Named.UDP, Optional.of(IpAddress.parse("fd00::1")))),
            Optional.of(new Bandwidth(1_000_000, 4_294_967_295L, 0, 0)),
            Map.of("margay.io/aliases", "db,web"),
            new PodRoutes(
                Map.of(IpAddress.parse("10.0.0.1"), IpAddress.parse("10.0.0.254")),
                false,
                List.of(Prefix.parse("10.1.0.0/16")),
                true),
            new Duty.Whole());
    AttachmentJournal journal = AttachmentJournal.open(directory, "boot");
    journal.write(new JournalEntry.Prepared(plain, "boot"));
    journal.write(new JournalEntry.Prepared(full, "boot"));
    assertThat(AttachmentJournal.open(directory, "boot").all())
        .extracting(JournalEntry::attachment)
        .containsExactlyInAnyOrder(plain, full);
    assertThat(directory.resolve("a@eth0.begun.json"))
        .as("an entry as earlier versions wrote it")
        .content()
        .doesNotContain("hostPorts")
        .doesNotContain("bandwidth");
  }

  @Test
  void every_workload_is_read_back() throws IOException {
    List<Attachment> attachments =
        List.of(
            attachment("a", new Workload.Container("a")),
            attachment("b", new Workload.Pod("shop", "db")),
            attachment("c", new Workload.Endpoint("d62e3a99", "web")));
    AttachmentJournal journal = AttachmentJournal.open(directory, "boot");
    for (Attachment attachment : attachments) {
      journal.write(new JournalEntry.Prepared(attachment, "boot"));
    }
    assertThat(AttachmentJournal.open(directory, "boot").all())
        .extracting(JournalEntry::attachment)
        .containsExactlyInAnyOrderElementsOf(attachments);
  }

  @Test
  void every_duty_is_read_back() throws IOException {
    List<JournalEntry> entries = new ArrayList<>();
    for (Duty duty :
        List.of(
            new Duty.Whole(),
            new Duty.Delegated(
                new Duty.Delegate("host-local", "/opt/cni/bin", "A=b", "{}"), Dns.NONE),
            new Duty.Delegated(
                new Duty.Delegate("host-local", "/opt/cni/bin", "A=b", "{}"),
                new Dns(List.of("10.0.0.53"), "a.example", List.of("b.example"), List.of())),
            new Duty.Addresses(),
            new Duty.Policed(true),
            new Duty.Policed(false),
            new Duty.Stepwise(Duty.Step.LEASED),
            new Duty.Stepwise(Duty.Step.CREATED),
            new Duty.Stepwise(Duty.Step.JOINED))) {
      entries.add(
          new JournalEntry.Prepared(
              attachment("c" + entries.size(), new Workload.Container("c" + entries.size()))
                  .with(duty),
              "boot"));
    }
    AttachmentJournal journal = AttachmentJournal.open(directory, "boot");
    for (JournalEntry entry : entries) {
      journal.write(entry);
    }
    assertThat(AttachmentJournal.open(directory, "boot").all())
        .containsExactlyInAnyOrderElementsOf(entries);
  }

  @Test
  void writing_again_replaces_and_removing_twice_is_fine() throws IOException {
    AttachmentJournal journal = AttachmentJournal.open(directory, "boot");
    Attachment attachment = attachment("a", new Workload.Container("a"));
    journal.write(new JournalEntry.Prepared(attachment, "boot"));
    JournalEntry committed = new JournalEntry.Committed(attachment, "boot", List.of());
    journal.write(committed);
    assertThat(journal.find(attachment.id())).contains(committed);
    journal.remove(attachment.id());
    journal.remove(attachment.id());
    assertThat(journal.all()).isEmpty();
    assertThat(AttachmentJournal.open(directory, "boot").all()).isEmpty();
  }

  @Test
  void what_is_begun_is_outranked_by_what_follows_and_tidied_away_later() throws IOException {
    AttachmentJournal journal = AttachmentJournal.open(directory, "boot");
    Attachment attachment = attachment("a", new Workload.Container("a"));
    journal.write(new JournalEntry.Prepared(attachment, "boot"));
    JournalEntry committed = new JournalEntry.Committed(attachment, "boot", List.of());
    journal.write(committed);
    Path begun = directory.resolve("a@eth0.begun.json");
    assertThat(begun).as("until there is time").exists();
    journal.sync();
    assertThat(begun).doesNotExist();
    assertThat(AttachmentJournal.open(directory, "boot").all()).containsExactly(committed);
  }

  @Test
  void a_process_that_finds_both_believes_the_later_one_and_if_it_is_torn_neither()
      throws IOException {
    AttachmentJournal journal = AttachmentJournal.open(directory, "boot");
    Attachment attachment = attachment("a", new Workload.Container("a"));
    JournalEntry begun = new JournalEntry.Prepared(attachment, "boot");
    JournalEntry committed = new JournalEntry.Committed(attachment, "boot", List.of());
    journal.write(begun);
    journal.write(committed);
    Path later = directory.resolve("a@eth0.json");
    byte[] whole = Files.readAllBytes(later);
    Files.write(later, Arrays.copyOf(whole, whole.length / 2));
    assertThat(AttachmentJournal.open(directory, "boot").all()).as("a live pod").isEmpty();
    assertThat(directory.resolve("a@eth0.json.bad")).exists();
    assertThat(directory.resolve("a@eth0.begun.json")).doesNotExist();

    journal.write(committed);
    Files.write(directory.resolve("a@eth0.begun.json"), "{".getBytes(UTF_8));
    assertThat(AttachmentJournal.open(directory, "boot").all()).containsExactly(committed);
    assertThat(directory.resolve("a@eth0.begun.json")).doesNotExist();
  }

  @Test
  void one_begun_again_before_there_was_time_to_tidy_stays() throws IOException {
    AttachmentJournal journal = AttachmentJournal.open(directory, "boot");
    Attachment attachment = attachment("a", new Workload.Container("a"));
    JournalEntry begun = new JournalEntry.Prepared(attachment, "boot");
    journal.write(begun);
    journal.write(new JournalEntry.Committed(attachment, "boot", List.of()));
    journal.remove(attachment.id());
    journal.write(begun);
    journal.sync();
    assertThat(AttachmentJournal.open(directory, "boot").all()).containsExactly(begun);
    journal.write(new JournalEntry.Releasing(attachment, "boot"));
    JournalEntry third = new JournalEntry.Prepared(attachment, "boot");
    journal.write(third);
    journal.sync();
    assertThat(AttachmentJournal.open(directory, "boot").all()).containsExactly(third);
  }

  @Test
  void syncing_bears_what_was_removed_meanwhile_and_changes_nothing() throws IOException {
    AttachmentJournal journal = AttachmentJournal.open(directory, "boot");
    Attachment stays = attachment("a", new Workload.Container("a"));
    Attachment goes = attachment("b", new Workload.Container("b"));
    JournalEntry kept = new JournalEntry.Prepared(stays, "boot");
    journal.write(kept);
    journal.write(new JournalEntry.Prepared(goes, "boot"));
    journal.remove(goes.id());
    journal.sync();
    journal.sync();
    assertThat(AttachmentJournal.open(directory, "boot").all()).containsExactly(kept);
  }

  @Test
  void an_entry_cut_anywhere_is_set_aside_and_the_others_are_read() throws IOException {
    AttachmentJournal journal = AttachmentJournal.open(directory, "boot");
    journal.write(
        new JournalEntry.Prepared(attachment("good", new Workload.Container("good")), "boot"));
    journal.write(
        new JournalEntry.Prepared(attachment("torn", new Workload.Pod("a", "b")), "boot"));
    Path torn = directory.resolve("torn@eth0.begun.json");
    byte[] whole = Files.readAllBytes(torn);
    for (int length = 0; length < whole.length; length++) {
      Files.write(torn, Arrays.copyOf(whole, length));
      assertThat(AttachmentJournal.open(directory, "boot").all())
          .as("%d octets", length)
          .hasSize(1);
      assertThat(directory.resolve("torn@eth0.begun.json.bad")).exists();
    }
  }

  @Test
  void spare_files_of_an_earlier_process_are_no_entries() throws IOException {
    AttachmentJournal journal = AttachmentJournal.open(directory, "boot1");
    journal.write(owed("a"));
    journal.remove(owed("a").attachment().id());
    journal.sync();
    assertThat(directory).isNotEmptyDirectory();
    assertThat(AttachmentJournal.open(directory, "boot1").all()).isEmpty();
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void a_write_interrupted_before_the_rename_is_forgotten() throws IOException {
    Files.createDirectories(directory);
    Files.writeString(directory.resolve(".c@eth0.json"), "{\"half");
    assertThat(AttachmentJournal.open(directory, "boot").all()).isEmpty();
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void handles_are_calicos_for_eth0_and_separate_for_further_interfaces() {
    assertThat(Attachment.handleId("net", new AttachmentId("c", new InterfaceName("eth0"))))
        .isEqualTo("net.c");
    assertThat(Attachment.handleId("net", new AttachmentId("c", new InterfaceName("net1"))))
        .isEqualTo("net.c.net1");
  }

  private static JournalEntry owed(String container) {
    return new JournalEntry.Releasing(
        attachment(container, new Workload.Container(container)), "boot1");
  }

  private static void deleteWhole(Path journal) throws IOException {
    try (Stream<Path> files = Files.list(journal)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(journal);
  }

  @Test
  void a_directory_that_somebody_deleted_is_written_anew_from_memory() throws IOException {
    Path below = directory.resolve("journal");
    AttachmentJournal journal = AttachmentJournal.open(below, "boot1");
    journal.write(owed("a"));
    journal.write(owed("b"));
    deleteWhole(below);
    journal.remove(owed("b").attachment().id());
    journal.write(owed("c"));
    assertThat(AttachmentJournal.open(below, "boot1").all())
        .containsExactlyInAnyOrder(owed("a"), owed("c"));

    deleteWhole(below);
    journal.sync();
    assertThat(AttachmentJournal.open(below, "boot1").all())
        .as("without a write")
        .containsExactlyInAnyOrder(owed("a"), owed("c"));
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files).as("nothing beside it").containsExactly(below);
    }
  }

  @Test
  void an_entry_that_cant_be_deleted_is_still_known() throws IOException {
    AttachmentJournal journal = AttachmentJournal.open(directory, "boot1");
    AttachmentId id = owed("a").attachment().id();
    journal.write(owed("a"));
    for (String spare : List.of(".spare-0", ".spare-1")) {
      Files.createDirectories(directory.resolve(spare).resolve("in-the-way"));
    }
    assertThatThrownBy(() -> journal.remove(id)).isInstanceOf(IOException.class);
    assertThat(journal.find(id)).contains(owed("a"));
  }
}
