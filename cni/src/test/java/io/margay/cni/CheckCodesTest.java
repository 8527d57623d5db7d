package io.margay.cni;

import static io.margay.cni.VerbsBench.failed;
import static io.margay.cni.VerbsBench.pod;
import static io.margay.cni.VerbsBench.succeeded;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.protocol.CniReply;
import io.margay.cni.protocol.CniVariable;
import io.margay.cni.spec.CniError;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.MacAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// CHECK says that a container is unknown (3) only where there is nothing of it: a runtime takes
/// that for leave to forget it. Where anything is left and not as it was, that is a difference.
final class CheckCodesTest {

  private static final String NET = "{\"cniVersion\":\"1.0.0\",\"name\":\"net\"}";
  private static final String LEASE =
      "{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"ipam\":{\"type\":\"margay-ipam\"}}";

  @TempDir Path directory;
  @TempDir Path other;
  private VerbsBench bench;

  @BeforeEach
  void start() throws IOException {
    bench = new VerbsBench(directory);
  }

  private static String with(String conf, JsonNode result) {
    return conf.substring(0, conf.length() - 1) + ",\"prevResult\":" + result + "}";
  }

  private String message(CniReply reply) throws IOException {
    return failed(CniError.CHECK_FAILED, reply).get("msg").asText();
  }

  @Test
  void a_wire_that_the_journal_has_lost_is_a_difference() throws IOException {
    String check = with(NET, succeeded(bench.call("ADD", pod("c1"), NET)));
    VerbsBench forgetful = new VerbsBench(other);
    forgetful.network.wires.putAll(bench.network.wires);
    assertThat(message(forgetful.call("CHECK", pod("c1"), check)))
        .contains("cali0d7763386da", "journal", "repeat ADD");
    forgetful.network.wires.clear();
    failed(CniError.UNKNOWN_CONTAINER, forgetful.call("CHECK", pod("c1"), check));
  }

  @Test
  void an_add_that_was_never_finished_is_a_difference() throws IOException {
    String check = with(NET, succeeded(bench.call("ADD", pod("c1"), NET)));
    Attachment attachment = bench.journal.all().getFirst().attachment();
    bench.journal.write(new JournalEntry.Prepared(attachment, bench.journal.bootId()));
    assertThat(message(bench.call("CHECK", pod("c1"), check))).contains("not finished");
  }

  @Test
  void a_deleted_container_whose_addresses_are_owed_is_unknown() throws IOException {
    String check = with(NET, succeeded(bench.call("ADD", pod("c1"), NET)));
    bench.addresses.awayForReleases = true;
    assertThat(bench.call("DEL", pod("c1"), NET)).isEqualTo(CniReply.success(""));
    failed(CniError.UNKNOWN_CONTAINER, bench.call("CHECK", pod("c1"), check));
  }

  @Test
  void as_ipam_addresses_of_another_network_or_of_an_unfinished_add_are_a_difference()
      throws IOException {
    String check = with(LEASE, succeeded(bench.call("margay-ipam", "ADD", pod("c1"), LEASE)));
    assertThat(
            message(
                bench.call(
                    "margay-ipam",
                    "CHECK",
                    pod("c1"),
                    check.replace("\"name\":\"net\"", "\"name\":\"other\""))))
        .contains("net", "other");
    Attachment attachment = bench.journal.all().getFirst().attachment();
    bench.journal.write(new JournalEntry.Prepared(attachment, bench.journal.bootId()));
    assertThat(message(bench.call("margay-ipam", "CHECK", pod("c1"), check)))
        .contains("not finished");
  }

  @Test
  void as_ipam_addresses_that_another_plugin_gave_are_a_difference() throws IOException {
    succeeded(bench.call("ADD", pod("c1"), NET));
    String check = with(LEASE, succeeded(bench.call("ADD", pod("c1"), NET)));
    assertThat(message(bench.call("margay-ipam", "CHECK", pod("c1"), check)))
        .contains("not a lease");
  }

  @Test
  void in_a_chain_an_interface_that_vanished_is_a_difference() throws IOException {
    bench.network.foreign =
        Optional.of(
            new PodNetwork.ForeignWire(
                new InterfaceName("veth1234"), MacAddress.parse("02:00:00:00:00:09"), 1400));
    String conf =
        "{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"prevResult\":{\"cniVersion\":\"1.0.0\","
            + "\"ips\":[{\"address\":\"10.5.0.1/16\"}]}}";
    succeeded(bench.call("ADD", pod("c1"), conf));
    bench.network.foreign = Optional.empty();
    assertThat(message(bench.call("CHECK", pod("c1"), conf))).contains("eth0");
  }

  @Test
  void another_ipam_that_knows_the_container_no_more_is_a_difference() throws IOException {
    Path plugin = other.resolve("fake-ipam");
    Files.writeString(
        plugin,
        """
        #!/bin/sh
        [ $CNI_COMMAND = ADD ] && echo '{"cniVersion":"1.0.0","ips":[{"address":"10.9.0.5/24"}]}'
        [ $CNI_COMMAND = CHECK ] && { echo '{"code":3,"msg":"no such lease"}'; exit 1; }
        exit 0
        """);
    Files.setPosixFilePermissions(plugin, PosixFilePermissions.fromString("rwxr-xr-x"));
    Map<CniVariable, String> env = pod("c1");
    env.put(CniVariable.PATH, other.toString());
    String conf = NET.replace("}", ",\"ipam\":{\"type\":\"fake-ipam\"}}");
    String check = with(conf, succeeded(bench.call("ADD", env, conf)));
    assertThat(message(bench.call("CHECK", env, check))).contains("fake-ipam", "no such lease");
  }
}
