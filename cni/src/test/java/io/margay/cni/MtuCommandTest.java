package io.margay.cni;

import static io.margay.cni.VerbsBench.pod;
import static io.margay.cni.VerbsBench.succeeded;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.spec.AttachmentId;
import io.margay.model.net.InterfaceName;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The journal follows the MTU of wires.
final class MtuCommandTest {

  private static final String NET = "{\"cniVersion\":\"1.1.0\",\"name\":\"net\"}";
  private static final AttachmentId ID = new AttachmentId("c1", new InterfaceName("eth0"));

  @TempDir Path directory;
  private VerbsBench bench;

  @BeforeEach
  void start() throws IOException {
    bench = new VerbsBench(directory);
  }

  @Test
  void what_was_changed_is_remembered_and_answered_again() throws IOException {
    succeeded(bench.call("ADD", pod("c1"), NET));
    assertThat(bench.verbs.changeMtu(ID, 1430, wire -> wire.mtu() == 1500)).isTrue();
    assertThat(AttachmentJournal.open(directory).all())
        .as("on the disk")
        .singleElement()
        .satisfies(entry -> assertThat(entry.attachment().mtu()).isEqualTo(1430));
    assertThat(succeeded(bench.call("ADD", pod("c1"), NET)).at("/interfaces/1/mtu").asInt())
        .isEqualTo(1430);
  }

  @Test
  void what_stayed_as_it_was_is_left_alone() throws IOException {
    succeeded(bench.call("ADD", pod("c1"), NET));
    assertThat(bench.verbs.changeMtu(ID, 1430, _ -> false)).isFalse();
    assertThat(bench.journal.all().getFirst().attachment().mtu()).isEqualTo(1500);
  }

  @Test
  void only_wires_of_ours_are_changed() throws IOException {
    List<Attachment> asked = new ArrayList<>();
    assertThat(bench.verbs.changeMtu(ID, 1430, asked::add)).as("none").isFalse();
    succeeded(bench.call("margay-ipam", "ADD", pod("c1"), NET));
    assertThat(bench.verbs.changeMtu(ID, 1430, asked::add)).as("a lease").isFalse();
    assertThat(asked).isEmpty();
  }
}
