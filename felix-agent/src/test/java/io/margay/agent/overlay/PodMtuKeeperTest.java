package io.margay.agent.overlay;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.Duty;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.journal.Workload;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.Dns;
import io.margay.linux.LinuxException;
import io.margay.linux.netns.Netns;
import io.margay.linux.route.Rtnetlink;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.MacAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("netns")
class PodMtuKeeperTest {

  @TempDir private Path directory;

  private static Attachment attachment(Path netnsPath, Netns.NetnsId netns) {
    return new Attachment(
        new AttachmentId("c1", new InterfaceName("eth0")),
        "k8s-pod-network",
        new Workload.Pod("web", "p1"),
        netns,
        netnsPath.toString(),
        new InterfaceName("cali1"),
        MacAddress.parse("02:00:00:00:00:01"),
        1500,
        Map.of());
  }

  private static PodMtuKeeper keeper(AttachmentJournal journal, OverlayRack rack)
      throws LinuxException {
    return new PodMtuKeeper(
        journal,
        (id, _, change) -> change.test(journal.find(id).orElseThrow().attachment()),
        Rtnetlink.inNetns(rack.fd(1)));
  }

  @Test
  void a_wire_with_another_plugins_address_follows_too() throws Exception {
    try (OverlayRack rack = new OverlayRack()) {
      Netns.NetnsId id;
      try (Netns pod = Netns.open(rack.path("p1"))) {
        id = pod.id();
      }
      AttachmentJournal journal = AttachmentJournal.open(directory.resolve("journal"));
      Attachment attachment =
          attachment(rack.path("p1"), id)
              .with(
                  new Duty.Delegated(new Duty.Delegate("host-local", "/bin", "", "{}"), Dns.NONE));
      journal.write(
          new JournalEntry.Committed(
              attachment, journal.bootId(), List.of(IpAddress.parse(OverlayRack.pod4(1)))));
      rack.in("n1", "ip link set cali1 alias " + Attachment.alias(attachment.id()));
      try (PodMtuKeeper keeper = keeper(journal, rack)) {
        assertThat(keeper.follow(1500, 1430)).isEqualTo(1);
        assertThat(rack.in("n1", "ip link show cali1")).contains("mtu 1430");
        assertThat(rack.in("p1", "ip link show eth0")).contains("mtu 1430");
      }
    }
  }

  @Test
  void both_ends_of_a_wire_follow_what_fits_and_a_configured_mtu_stays() throws Exception {
    try (OverlayRack rack = new OverlayRack()) {
      Netns.NetnsId id;
      try (Netns pod = Netns.open(rack.path("p1"))) {
        id = pod.id();
      }
      AttachmentJournal journal = AttachmentJournal.open(directory.resolve("journal"));
      Attachment attachment = attachment(rack.path("p1"), id);
      journal.write(
          new JournalEntry.Committed(
              attachment, journal.bootId(), List.of(IpAddress.parse(OverlayRack.pod4(1)))));
      rack.in("n1", "ip link set cali1 alias " + Attachment.alias(attachment.id()));
      try (PodMtuKeeper keeper = keeper(journal, rack)) {
        assertThat(keeper.follow(1500, 1430)).isEqualTo(1);
        assertThat(rack.in("n1", "ip link show cali1")).contains("mtu 1430");
        assertThat(rack.in("p1", "ip link show eth0")).contains("mtu 1430");
        assertThat(keeper.follow(1430, 8930)).isEqualTo(1);
        assertThat(rack.in("p1", "ip link show eth0")).contains("mtu 8930");

        rack.in("n1", "ip link set cali1 mtu 1400");
        assertThat(keeper.follow(8930, 1430)).isZero();
        assertThat(rack.in("n1", "ip link show cali1")).contains("mtu 1400");

        rack.in("n1", "ip link set cali1 mtu 1430 alias margay:other/eth0");
        assertThat(keeper.follow(1430, 1500)).isZero();
        assertThat(rack.in("n1", "ip link show cali1")).contains("mtu 1430");
      }
    }
  }
}
