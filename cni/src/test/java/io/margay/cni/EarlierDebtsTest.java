package io.margay.cni;

import static io.margay.cni.VerbsBench.failed;
import static io.margay.cni.VerbsBench.pod;
import static io.margay.cni.VerbsBench.succeeded;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.cni.journal.JournalEntry;
import io.margay.cni.protocol.CniReply;
import io.margay.cni.protocol.CniVariable;
import io.margay.cni.spec.CniError;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.MacAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// ADD where the journal still owes something for an earlier attachment of the same container and
/// interface.
final class EarlierDebtsTest {

  private static final String NET = "{\"cniVersion\":\"1.0.0\",\"name\":\"net\"}";
  private static final String OTHER = "{\"cniVersion\":\"1.0.0\",\"name\":\"other\"}";
  private static final String OTHER_IPAM =
      OTHER.replace("}", ",\"ipam\":{\"type\":\"fake-ipam\"}}");

  @TempDir Path directory;
  @TempDir Path bin;
  private VerbsBench bench;

  @BeforeEach
  void start() throws IOException {
    bench = new VerbsBench(directory);
  }

  private void owe(Map<CniVariable, String> env, String conf) throws IOException {
    succeeded(bench.call("ADD", env, conf));
    bench.addresses.awayForReleases = true;
    assertThat(bench.call("DEL", env, conf)).isEqualTo(CniReply.success(""));
    assertThat(bench.journal.all()).singleElement().isInstanceOf(JournalEntry.Releasing.class);
  }

  @Test
  void what_another_network_gave_is_given_back_first() throws IOException {
    owe(pod("c1"), NET);
    failed(CniError.TRY_LATER, bench.call("ADD", pod("c1"), OTHER));
    assertThat(bench.journal.all())
        .singleElement()
        .satisfies(owed -> assertThat(owed.attachment().network()).isEqualTo("net"));

    bench.addresses.awayForReleases = false;
    succeeded(bench.call("ADD", pod("c1"), OTHER));
    assertThat(bench.addresses.handles).containsOnlyKeys("other.c1");
    assertThat(bench.call("DEL", pod("c1"), OTHER)).isEqualTo(CniReply.success(""));
    bench.assertNothingIsLeft();
  }

  @Test
  void a_pod_moved_to_another_network_without_a_del_keeps_nothing_of_the_first()
      throws IOException {
    succeeded(bench.call("ADD", pod("c1"), NET));
    succeeded(bench.call("ADD", pod("c1"), OTHER));
    assertThat(bench.addresses.handles).containsOnlyKeys("other.c1");
    assertThat(bench.network.wires).hasSize(1);
    assertThat(bench.policy.applied).hasSize(1);
  }

  @Test
  void another_pod_in_the_same_container_leaves_no_endpoint_of_the_first() throws IOException {
    succeeded(bench.call("ADD", pod("c1"), NET));
    Map<CniVariable, String> other = pod("c1");
    other.put(CniVariable.ARGS, "K8S_POD_NAMESPACE=default;K8S_POD_NAME=other");
    succeeded(bench.call("ADD", other, NET));
    assertThat(bench.addresses.endpoints).containsOnlyKeys("default/node--1-k8s-other-eth0");
  }

  @Test
  void who_asks_for_an_address_by_name_gets_no_other_beside_it() throws IOException {
    owe(pod("c1"), NET);
    bench.addresses.awayForReleases = false;
    Map<CniVariable, String> asking = pod("c1");
    asking.put(CniVariable.ARGS, "IP=10.0.0.77");
    succeeded(bench.call("ADD", asking, NET));
    assertThat(bench.addresses.handles.get("net.c1")).containsExactly(IpAddress.parse("10.0.0.77"));
  }

  @Test
  void who_asks_for_nothing_keeps_the_address_that_is_still_held() throws IOException {
    owe(pod("c1"), NET);
    List<IpAddress> held = List.copyOf(bench.addresses.handles.get("net.c1"));
    succeeded(bench.call("ADD", pod("c1"), NET));
    assertThat(bench.addresses.handles.get("net.c1")).isEqualTo(held);
  }

  @Test
  void another_ipam_is_asked_to_delete_before_its_record_is_gone() throws IOException {
    Path plugin = bin.resolve("fake-ipam");
    Files.writeString(
        plugin,
        "#!/bin/sh\necho $CNI_COMMAND >> "
            + bin
            + "/calls\n[ $CNI_COMMAND = ADD ] && echo"
            + " '{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.9.0.5/24\"}]}'\nexit 0\n");
    Files.setPosixFilePermissions(plugin, PosixFilePermissions.fromString("rwxr-xr-x"));
    Map<CniVariable, String> env = pod("c1");
    env.put(CniVariable.PATH, bin.toString());
    owe(env, OTHER_IPAM);
    bench.addresses.awayForReleases = false;

    succeeded(bench.call("ADD", env, OTHER_IPAM));
    assertThat(Files.readAllLines(bin.resolve("calls")))
        .as("the DEL that was answered, the one that is owed, then the new ADD")
        .containsExactly("ADD", "DEL", "DEL", "ADD");
    succeeded(bench.call("ADD", env, OTHER));
    assertThat(Files.readAllLines(bin.resolve("calls"))).hasSize(5).endsWith("DEL");
  }

  @Test
  void as_ipam_and_in_a_chain_the_same() throws IOException {
    owe(pod("c1"), NET);
    bench.addresses.awayForReleases = false;
    succeeded(bench.call("margay-ipam", "ADD", pod("c1"), OTHER));
    assertThat(bench.addresses.handles).containsOnlyKeys("other.c1");
    assertThat(bench.call("margay-ipam", "DEL", pod("c1"), OTHER)).isEqualTo(CniReply.success(""));

    owe(pod("c1"), NET);
    bench.addresses.awayForReleases = false;
    bench.network.foreign =
        Optional.of(
            new PodNetwork.ForeignWire(
                new InterfaceName("veth1234"), MacAddress.parse("02:00:00:00:00:09"), 1400));
    succeeded(
        bench.call(
            "ADD",
            pod("c1"),
            NET.replace(
                "}",
                ",\"prevResult\":{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.5.0.1/16\"}]}}")));
    assertThat(bench.addresses.handles).as("the wire has another plugin's address").isEmpty();
  }
}
