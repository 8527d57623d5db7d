package io.margay.cni;

import static io.margay.cni.VerbsBench.failed;
import static io.margay.cni.VerbsBench.pod;
import static io.margay.cni.VerbsBench.succeeded;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.journal.Workload;
import io.margay.cni.protocol.CniVariable;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniError;
import io.margay.model.net.InterfaceName;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Different attachments have different host ends.
final class HostEndTest {

  private static final String NET = "{\"cniVersion\":\"1.0.0\",\"name\":\"net\"}";

  @TempDir Path directory;
  @TempDir Path other;

  private static InterfaceName name(Workload workload, String ifName) {
    return HostEnd.name("cali", workload, new AttachmentId("c1", new InterfaceName(ifName)));
  }

  @Test
  void the_first_interface_of_a_pod_has_calicos_name() {
    assertThat(name(new Workload.Pod("default", "web-0"), "eth0").value())
        .as("sha1 of default.web-0")
        .isEqualTo("cali0d7763386da");
  }

  @Test
  void dots_in_names_lead_to_no_name_of_another() {
    assertThat(
            List.of(
                name(new Workload.Pod("default", "web"), "eth0"),
                name(new Workload.Pod("default", "web"), "net1"),
                name(new Workload.Pod("default", "web.net1"), "eth0"),
                name(new Workload.Container("default.web"), "eth0"),
                name(new Workload.Container("default.web"), "net1"),
                name(new Workload.Container("default.web.net1"), "eth0"),
                name(new Workload.Endpoint("default.web", "net"), "eth0")))
        .doesNotHaveDuplicates();
  }

  @Test
  void a_pod_whose_name_another_is_about_to_use_is_refused_and_the_other_left_alone()
      throws IOException {
    VerbsBench bench = new VerbsBench(directory);
    VerbsBench elsewhere = new VerbsBench(other);
    Map<CniVariable, String> first = pod("c2");
    first.put(CniVariable.ARGS, "K8S_POD_NAMESPACE=default;K8S_POD_NAME=first");
    succeeded(elsewhere.call("ADD", first, NET));
    Attachment begun =
        elsewhere
            .journal
            .all()
            .getFirst()
            .attachment()
            .on(
                new InterfaceName("cali0d7763386da"),
                elsewhere.journal.all().getFirst().attachment().podMac(),
                1500);
    bench.journal.write(new JournalEntry.Prepared(begun, bench.journal.bootId()));
    bench.network.wires.put("cali0d7763386da", begun);

    assertThat(
            failed(CniError.INTERFACE_NOT_OURS, bench.call("ADD", pod("c1"), NET))
                .get("msg")
                .asText())
        .contains("cali0d7763386da", "c2/eth0");
    assertThat(bench.network.wires).containsExactly(Map.entry("cali0d7763386da", begun));
    assertThat(bench.journal.all()).singleElement().isInstanceOf(JournalEntry.Prepared.class);
  }
}
