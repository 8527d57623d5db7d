package io.margay.agent.care;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.Duty;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.journal.Workload;
import io.margay.cni.spec.AttachmentId;
import io.margay.ipam.care.NodeWitness;
import io.margay.linux.netns.Netns;
import io.margay.linux.route.Rtnetlink;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.MacAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("netns")
class LocalWitnessTest {

  @TempDir private Path directory;

  private static Attachment attachment(String container, Netns.NetnsId netns, String path) {
    return new Attachment(
        new AttachmentId(container, new InterfaceName("eth0")),
        "net",
        new Workload.Pod("shop", container),
        netns,
        path,
        new InterfaceName("cali" + container),
        MacAddress.parse("02:00:00:00:00:01"),
        1500,
        Map.of());
  }

  @Test
  void what_is_being_made_deleted_or_alive_is_here_and_what_lost_its_namespace_is_not()
      throws Exception {
    AttachmentJournal journal = AttachmentJournal.open(directory);
    List<IpAddress> addresses = List.of(IpAddress.parse("10.8.0.1"));
    try (Netns own = Netns.ofThread();
        Rtnetlink rtnetlink = Rtnetlink.open()) {
      String path = "/proc/self/ns/net";
      String boot = journal.bootId();
      Netns.NetnsId other = new Netns.NetnsId(1, 1);
      journal.write(new JournalEntry.Prepared(attachment("made", other, "/gone"), boot));
      journal.write(new JournalEntry.Releasing(attachment("going", other, ""), boot));
      journal.write(
          new JournalEntry.Committed(attachment("alive", own.id(), path), boot, addresses));
      journal.write(new JournalEntry.Committed(attachment("reused", other, path), boot, addresses));
      journal.write(
          new JournalEntry.Committed(attachment("lost", other, "/gone"), boot, addresses));
      journal.write(
          new JournalEntry.Committed(
              attachment("docker", other, "").with(new Duty.Stepwise(Duty.Step.LEASED)),
              boot,
              addresses));
      LocalWitness witness = new LocalWitness("n1", journal, directory, rtnetlink.links());

      NodeWitness seen = witness.look();
      assertThat(seen.handles())
          .containsExactlyInAnyOrder("net.made", "net.going", "net.alive", "net.docker");
      assertThat(seen.interfaces()).contains("lo");
      assertThat(seen.isComplete()).isTrue();

      Files.writeString(directory.resolve("x@eth0.json.bad"), "{");
      assertThat(witness.look().isComplete()).isFalse();
    }
  }
}
