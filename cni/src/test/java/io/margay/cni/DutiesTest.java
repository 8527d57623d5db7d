package io.margay.cni;

import static io.margay.cni.VerbsBench.failed;
import static io.margay.cni.VerbsBench.pod;
import static io.margay.cni.VerbsBench.succeeded;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.Duty;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.protocol.CniReply;
import io.margay.cni.protocol.CniVariable;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniError;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.MacAddress;
import io.margay.model.net.Prefix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What the verbs do where not everything is theirs: as another plugin's IPAM, over another IPAM,
/// and after another plugin in the chain.
final class DutiesTest {

  private static final AttachmentId ID = new AttachmentId("c1", new InterfaceName("eth0"));
  private static final String PTP =
      "{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"type\":\"ptp\",\"ipMasq\":true,"
          + "\"ipam\":{\"type\":\"margay-ipam\",\"routes\":[{\"dst\":\"0.0.0.0/0\"}]}}";
  private static final String PREVIOUS =
      "{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"type\":\"margay-cni\",\"prevResult\":"
          + "{\"cniVersion\":\"1.0.0\",\"interfaces\":[{\"name\":\"veth1234\",\"mac\":\"aa:bb:cc:dd:ee:ff\"},"
          + "{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:09\",\"sandbox\":\"/x\",\"pciID\":\"7\"}],"
          + "\"ips\":[{\"address\":\"10.0.0.1/16\",\"gateway\":\"10.0.255.1\",\"interface\":1}],"
          + "\"routes\":[{\"dst\":\"0.0.0.0/0\",\"priority\":5}],\"dns\":{},\"com.example\":{\"a\":[1]}}}";

  @TempDir Path directory;
  @TempDir Path bin;
  private VerbsBench bench;

  @BeforeEach
  void start() throws IOException {
    bench = new VerbsBench(directory);
  }

  // As another plugin's IPAM.

  private CniReply ipam(String command, String conf) throws IOException {
    return bench.call("margay-ipam", command, pod("c1"), conf);
  }

  @Test
  void as_ipam_add_answers_addresses_alone_and_makes_neither_wire_nor_endpoint()
      throws IOException {
    JsonNode result = succeeded(ipam("ADD", PTP));
    assertThat(result.has("interfaces")).isFalse();
    assertThat(result.get("ips").toString())
        .isEqualTo("[{\"address\":\"10.0.0.1/16\",\"gateway\":\"10.0.255.1\"}]");
    assertThat(result.get("routes").toString()).isEqualTo("[{\"dst\":\"0.0.0.0/0\"}]");
    assertThat(bench.network.wires).isEmpty();
    assertThat(bench.addresses.endpoints).isEmpty();
    assertThat(bench.addresses.handles).containsOnlyKeys("net.c1");
    assertThat(succeeded(ipam("ADD", PTP))).as("repeated").isEqualTo(result);
    assertThat(ipam("DEL", PTP)).isEqualTo(CniReply.success(""));
    bench.assertNothingIsLeft();
    assertThat(ipam("DEL", PTP)).isEqualTo(CniReply.success(""));
  }

  @Test
  void as_ipam_the_old_shapes_have_gateway_and_routes_too() throws IOException {
    JsonNode result = succeeded(ipam("ADD", PTP.replace("1.0.0", "0.2.0")));
    assertThat(result.get("ip4").toString())
        .isEqualTo(
            "{\"ip\":\"10.0.0.1/16\",\"gateway\":\"10.0.255.1\",\"routes\":[{\"dst\":\"0.0.0.0/0\"}]}");
  }

  @Test
  void as_ipam_host_locals_keys_and_the_ways_to_ask_for_an_address_are_heard() throws IOException {
    Path resolvConf = bin.resolve("resolv.conf");
    Files.writeString(
        resolvConf,
        "# by hand\nnameserver 10.0.0.53\nsearch a.example b.example\noptions ndots:2\n");
    String ranges =
        PTP.replace(
            "\"routes\"",
            "\"dataDir\":\"/tmp/x\",\"resolvConf\":\""
                + resolvConf
                + "\",\"ranges\":[[{\"subnet\":\"10.0.0.0/16\",\"rangeStart\":\"10.0.0.1\",\"gateway\":\"10.0.7.7\"}],"
                + "[{\"subnet\":\"fd00::/64\"}]],\"routes\"");
    JsonNode result = succeeded(ipam("ADD", ranges));
    assertThat(result.get("ips").get(0).get("gateway").asText()).isEqualTo("10.0.7.7");
    assertThat(result.get("ips").get(1).get("address").asText()).isEqualTo("fd00::1/64");
    assertThat(result.get("dns").toString())
        .isEqualTo(
            "{\"nameservers\":[\"10.0.0.53\"],\"search\":[\"a.example\",\"b.example\"],\"options\":[\"ndots:2\"]}");
    assertThat(bench.addresses.wishes.getLast().ipv4Pools()).containsExactly("10.0.0.0/16");
    assertThat(bench.addresses.wishes.getLast().ipv6Pools()).containsExactly("fd00::/64");
    assertThat(ipam("DEL", ranges)).isEqualTo(CniReply.success(""));

    for (String asked :
        List.of(
            "\"runtimeConfig\":{\"ips\":[\"10.0.0.77/16\"]},",
            "\"args\":{\"cni\":{\"ips\":[\"10.0.0.77\"]}},")) {
      String conf = PTP.replace("\"type\":\"ptp\",", asked);
      assertThat(succeeded(ipam("ADD", conf)).toString()).contains("10.0.0.77/16");
      ipam("DEL", conf);
    }
    Map<CniVariable, String> env = pod("c1");
    env.put(CniVariable.ARGS, "IP=10.0.0.78");
    assertThat(succeeded(bench.call("margay-ipam", "ADD", env, PTP)).toString())
        .contains("10.0.0.78/16");
    ipam("DEL", PTP);
    assertThat(
            failed(
                    CniError.UNSUPPORTED_FIELD,
                    ipam("ADD", ranges.replace("\"10.0.0.1\"", "\"10.0.5.0\"")))
                .get("msg")
                .asText())
        .contains("ipam.ranges[0][0].rangeStart", "10.0.5.0", "make an IPPool");
    bench.assertNothingIsLeft();
  }

  @Test
  void as_ipam_check_knows_what_it_gave() throws IOException {
    String withResult =
        PTP.replace("\"type\":\"ptp\"", "\"prevResult\":" + succeeded(ipam("ADD", PTP)));
    assertThat(ipam("CHECK", withResult)).isEqualTo(CniReply.success(""));
    failed(CniError.CHECK_FAILED, ipam("CHECK", withResult.replace("10.0.0.1/16", "10.0.0.9/16")));
    ipam("DEL", PTP);
    failed(CniError.UNKNOWN_CONTAINER, ipam("CHECK", withResult));
  }

  @Test
  void as_ipam_a_failed_add_leaves_nothing() throws IOException {
    bench.addresses.failure = Optional.of(CniError.POOL_EXHAUSTED);
    failed(CniError.POOL_EXHAUSTED, ipam("ADD", PTP));
    bench.assertNothingIsLeft();
    bench.addresses.failure = Optional.empty();
    bench.abandoned = true;
    failed(CniError.TRY_LATER, ipam("ADD", PTP));
    bench.assertNothingIsLeft();
  }

  @Test
  void as_ipam_a_live_namespace_keeps_the_addresses_and_a_dead_one_frees_them() throws IOException {
    succeeded(ipam("ADD", PTP));
    assertThat(bench.verbs.looksGone(ID)).isFalse();
    JournalEntry.Committed alive = (JournalEntry.Committed) bench.journal.all().getFirst();
    Attachment a = alive.attachment();
    Attachment dead =
        new Attachment(
                a.id(),
                a.network(),
                a.workload(),
                a.netns(),
                "/run/netns/gone",
                a.hostEnd(),
                a.podMac(),
                a.mtu(),
                a.labels())
            .with(a.duty());
    bench.journal.write(new JournalEntry.Committed(dead, alive.bootId(), alive.addresses()));
    assertThat(bench.verbs.looksGone(ID)).isTrue();
    assertThat(bench.verbs.reclaim(ID)).isTrue();
    bench.assertNothingIsLeft();
  }

  @Test
  void an_attachment_of_ours_is_not_an_ipam_requests_to_take_or_delete() throws IOException {
    String whole = "{\"cniVersion\":\"1.0.0\",\"name\":\"net\"}";
    succeeded(bench.call("ADD", pod("c1"), whole));
    failed(CniError.INTERFACE_NOT_OURS, ipam("ADD", PTP));
    assertThat(ipam("DEL", PTP)).isEqualTo(CniReply.success(""));
    assertThat(bench.network.wires).hasSize(1);
    assertThat(bench.addresses.handles).hasSize(1);
  }

  // After another plugin.

  private void foreignWire() {
    bench.network.foreign =
        Optional.of(
            new PodNetwork.ForeignWire(
                new InterfaceName("veth1234"), MacAddress.parse("02:00:00:00:00:09"), 1400));
  }

  @Test
  void in_a_chain_the_result_passes_word_for_word_and_the_wire_is_policed() throws IOException {
    foreignWire();
    CniReply reply = bench.call("ADD", pod("c1"), PREVIOUS);
    JsonNode sent = VerbsBench.JSON.readTree(PREVIOUS).get("prevResult");
    assertThat(succeeded(reply)).isEqualTo(sent);
    assertThat(reply.stdout()).isEqualTo(sent + "\n");
    PodEndpoint endpoint = bench.policy.applied.values().iterator().next();
    assertThat(endpoint.document().spec().interfaceName()).isEqualTo(new InterfaceName("veth1234"));
    assertThat(endpoint.document().spec().ipNetworks())
        .containsExactly(Prefix.parse("10.0.0.1/32"));
    assertThat(bench.addresses.endpoints).hasSize(1);
    assertThat(bench.addresses.handles).isEmpty();
    assertThat(bench.network.wires).isEmpty();
    assertThat(bench.call("CHECK", pod("c1"), PREVIOUS)).isEqualTo(CniReply.success(""));
    assertThat(succeeded(bench.call("ADD", pod("c1"), PREVIOUS))).as("repeated").isEqualTo(sent);
    assertThat(bench.call("DEL", pod("c1"), PREVIOUS)).isEqualTo(CniReply.success(""));
    bench.assertNothingIsLeft();
  }

  @Test
  void in_a_chain_addresses_without_an_interface_are_the_pods() throws IOException {
    foreignWire();
    for (String index : List.of(",\"interface\":-1", "")) {
      succeeded(bench.call("ADD", pod("c1"), PREVIOUS.replace(",\"interface\":1", index)));
      assertThat(bench.policy.applied.values().iterator().next().addresses())
          .containsExactly(IpAddress.parse("10.0.0.1"));
      bench.call("DEL", pod("c1"), PREVIOUS);
    }
    assertThat(
            failed(
                    CniError.BAD_CONFIG,
                    bench.call(
                        "ADD", pod("c1"), PREVIOUS.replace("\"interface\":1", "\"interface\":0")))
                .get("msg")
                .asText())
        .contains("prevResult.ips", "eth0");
    failed(
        CniError.BAD_CONFIG,
        bench.call("ADD", pod("c1"), PREVIOUS.replace("\"interface\":1", "\"interface\":2")));
    bench.assertNothingIsLeft();
  }

  @Test
  void in_a_chain_what_cannot_be_policed_is_refused_and_leaves_nothing() throws IOException {
    failed(CniError.BAD_CONFIG, bench.call("ADD", pod("c1"), PREVIOUS));
    bench.assertNothingIsLeft();
    foreignWire();
    bench.policy.fails = true;
    failed(CniError.POLICY_NOT_PROGRAMMED, bench.call("ADD", pod("c1"), PREVIOUS));
    bench.assertNothingIsLeft();
  }

  @Test
  void in_a_chain_a_host_port_leads_to_one_pod() throws IOException {
    foreignWire();
    String conf =
        PREVIOUS.replace(
            "\"prevResult\"",
            "\"runtimeConfig\":{\"portMappings\":[{\"hostPort\":8080,\"containerPort\":80,"
                + "\"protocol\":\"tcp\"}]},\"prevResult\"");
    succeeded(bench.call("ADD", pod("c1"), conf));
    succeeded(bench.call("ADD", pod("c1"), conf));
    Map<CniVariable, String> other = pod("c2");
    other.put(CniVariable.ARGS, "K8S_POD_NAMESPACE=default;K8S_POD_NAME=other");
    failed(CniError.HOST_PORT_TAKEN, bench.call("ADD", other, conf));
    assertThat(bench.call("DEL", pod("c1"), conf)).isEqualTo(CniReply.success(""));
    succeeded(bench.call("ADD", other, conf));
    assertThat(bench.call("DEL", other, conf)).isEqualTo(CniReply.success(""));
    bench.assertNothingIsLeft();
  }

  @Test
  void in_a_chain_what_an_add_did_that_died_goes_with_the_addresses() throws IOException {
    foreignWire();
    succeeded(ipam("ADD", PTP));
    JournalEntry lease = bench.journal.all().getFirst();
    succeeded(bench.call("ADD", pod("c1"), PREVIOUS));
    bench.journal.write(lease);
    assertThat(ipam("DEL", PTP)).isEqualTo(CniReply.success(""));
    assertThat(bench.network.equipped).isEmpty();
  }

  @Test
  void in_a_chain_check_notices_another_wire_and_missing_policy() throws IOException {
    foreignWire();
    succeeded(bench.call("ADD", pod("c1"), PREVIOUS));
    bench.policy.applied.clear();
    failed(CniError.CHECK_FAILED, bench.call("CHECK", pod("c1"), PREVIOUS));
    bench.network.foreign =
        Optional.of(
            new PodNetwork.ForeignWire(
                new InterfaceName("veth9"), MacAddress.parse("02:00:00:00:00:09"), 1400));
    assertThat(
            failed(CniError.CHECK_FAILED, bench.call("CHECK", pod("c1"), PREVIOUS))
                .get("msg")
                .asText())
        .contains("veth9", "veth1234");
  }

  @Test
  void one_chain_has_its_addresses_and_its_policy_from_us_and_is_deleted_in_reverse()
      throws IOException {
    succeeded(ipam("ADD", PTP));
    foreignWire();
    succeeded(bench.call("ADD", pod("c1"), PREVIOUS));
    assertThat(bench.journal.all())
        .singleElement()
        .satisfies(
            entry -> assertThat(entry.attachment().duty()).isEqualTo(new Duty.Policed(true)));
    for (int i = 0; i < 2; i++) {
      assertThat(bench.call("DEL", pod("c1"), PREVIOUS)).isEqualTo(CniReply.success(""));
      assertThat(bench.policy.applied).isEmpty();
      assertThat(bench.addresses.endpoints).isEmpty();
      assertThat(bench.addresses.handles).as("ptp still uses them").hasSize(1);
    }
    assertThat(ipam("DEL", PTP)).isEqualTo(CniReply.success(""));
    bench.assertNothingIsLeft();
  }

  @Test
  void a_failed_add_in_a_chain_leaves_the_addresses_that_are_in_use() throws IOException {
    succeeded(ipam("ADD", PTP));
    foreignWire();
    bench.policy.fails = true;
    failed(CniError.POLICY_NOT_PROGRAMMED, bench.call("ADD", pod("c1"), PREVIOUS));
    assertThat(bench.addresses.handles).hasSize(1);
    assertThat(bench.addresses.endpoints).isEmpty();
    assertThat(bench.verbs.recover()).hasSize(1);
    assertThat(bench.addresses.handles).hasSize(1);
  }

  @Test
  void in_a_chain_what_could_not_be_read_again_is_refused() throws IOException {
    foreignWire();
    String conf =
        PREVIOUS.replace(
            "\"prevResult\"",
            "\"args\":{\"cni\":{\"labels\":[{\"key\":\"app\",\"value\":\"a@b\"}]}},\"prevResult\"");
    assertThat(failed(CniError.BAD_CONFIG, bench.call("ADD", pod("c1"), conf)).get("msg").asText())
        .contains("args.cni.labels.app", "a@b");
    bench.assertNothingIsLeft();
  }

  @Test
  void in_a_chain_a_journal_that_takes_nothing_does_not_block_del() throws IOException {
    Path journal = directory.resolve("journal");
    bench = new VerbsBench(journal);
    foreignWire();
    succeeded(ipam("ADD", PTP));
    succeeded(bench.call("ADD", pod("c1"), PREVIOUS));
    try (Stream<Path> entries = Files.list(journal)) {
      for (Path entry : entries.toList()) {
        Files.delete(entry);
      }
    }
    Files.delete(journal);
    Files.createFile(journal);
    assertThat(bench.call("DEL", pod("c1"), PREVIOUS)).isEqualTo(CniReply.success(""));
    assertThat(bench.policy.applied).isEmpty();
    Files.delete(journal);
    assertThat(ipam("DEL", PTP)).isEqualTo(CniReply.success(""));
    bench.assertNothingIsLeft();
  }

  // Over another IPAM.

  private Map<CniVariable, String> podWithPlugin(String script) throws IOException {
    Path plugin = bin.resolve("fake-ipam");
    Files.writeString(plugin, "#!/bin/sh\n" + script);
    Files.setPosixFilePermissions(plugin, PosixFilePermissions.fromString("rwxr-xr-x"));
    Map<CniVariable, String> env = pod("c1");
    env.put(CniVariable.PATH, "/nowhere:" + bin);
    return env;
  }

  /// Notes every call, answers ADD, and fails where a file of the verb's name says so.
  private String recording() {
    return "cd "
        + bin
        + "; cat > stdin.$CNI_COMMAND; echo \"$CNI_COMMAND $CNI_CONTAINERID $CNI_IFNAME $CNI_NETNS"
        + " $CNI_ARGS\" >> calls\n"
        + "if [ -e fail.$CNI_COMMAND ]; then echo '{\"code\":12,\"msg\":\"no"
        + " lease\",\"details\":\"file not found\"}'; exit 1; fi\n"
        + "if [ $CNI_COMMAND = ADD ]; then echo '{\"cniVersion\":\"1.0.0\",\"ips\":["
        + "{\"address\":\"fd01::5/64\"},{\"address\":\"10.9.0.5/24\",\"gateway\":\"10.9.0.1\"},{\"address\":\"10.9.0.6/24\",\"gateway\":\"10.9.0.1\"}],\"routes\":[{\"dst\":\"0.0.0.0/0\"},{\"dst\":\"192.168.0.0/16\",\"gw\":\"10.9.0.1\"}],\"dns\":{\"nameservers\":[\"10.9.0.53\"]}}';"
        + " fi\n";
  }

  private List<String> calls() throws IOException {
    return Files.readAllLines(bin.resolve("calls")).stream()
        .map(line -> line.substring(0, line.indexOf(' ')))
        .toList();
  }

  private static final String FOREIGN =
      "{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"type\":\"margay-cni\",\"x\":1,\"ipam\":{\"type\":\"fake-ipam\",\"subnet\":\"10.9.0.0/24\"}}";

  @Test
  void over_another_ipam_its_addresses_become_host_routes_with_its_gateway() throws IOException {
    Map<CniVariable, String> env = podWithPlugin(recording());
    JsonNode result = succeeded(bench.call("ADD", env, FOREIGN));
    assertThat(result.get("ips").toString())
        .isEqualTo(
            "[{\"address\":\"10.9.0.5/32\",\"gateway\":\"10.9.0.1\",\"interface\":1},"
                + "{\"address\":\"10.9.0.6/32\",\"gateway\":\"10.9.0.1\",\"interface\":1},"
                + "{\"address\":\"fd01::5/128\",\"interface\":1}]");
    assertThat(result.get("routes").toString())
        .isEqualTo(
            "[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.9.0.1\"},{\"dst\":\"192.168.0.0/16\",\"gw\":\"10.9.0.1\"},"
                + "{\"dst\":\"::/0\",\"gw\":\"fe80::1\"}]");
    assertThat(result.get("dns").toString()).isEqualTo("{\"nameservers\":[\"10.9.0.53\"]}");
    assertThat(Files.readString(bin.resolve("stdin.ADD"))).as("complete").isEqualTo(FOREIGN);
    assertThat(Files.readAllLines(bin.resolve("calls")))
        .containsExactly(
            "ADD c1 eth0 /proc/self/ns/net"
                + " IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0");
    assertThat(bench.addresses.endpoints.values().iterator().next().spec().ipNetworks()).hasSize(3);
    String withResult = FOREIGN.replace("\"x\":1", "\"prevResult\":" + result);
    assertThat(bench.call("CHECK", env, withResult)).isEqualTo(CniReply.success(""));
    assertThat(Files.readString(bin.resolve("stdin.CHECK"))).isEqualTo(withResult);

    // A runtime may have another configuration by then, and no arguments.
    env.remove(CniVariable.ARGS);
    env.put(CniVariable.PATH, "");
    env.put(CniVariable.NETNS, "");
    assertThat(bench.call("DEL", env, "{\"cniVersion\":\"1.0.0\",\"name\":\"net\"}"))
        .isEqualTo(CniReply.success(""));
    assertThat(calls()).containsExactly("ADD", "CHECK", "DEL");
    assertThat(Files.readString(bin.resolve("stdin.DEL"))).isEqualTo(FOREIGN);
    bench.assertNothingIsLeft();
  }

  @Test
  void over_another_ipam_a_repeated_add_answers_the_same_to_the_last_word() throws IOException {
    Map<CniVariable, String> env = podWithPlugin(recording());
    JsonNode first = succeeded(bench.call("ADD", env, FOREIGN));
    assertThat(succeeded(bench.call("ADD", env, FOREIGN))).isEqualTo(first);
    assertThat(calls()).containsExactly("ADD");
    bench = new VerbsBench(directory);
    assertThat(succeeded(bench.call("ADD", env, FOREIGN))).as("restarted").isEqualTo(first);
  }

  @Test
  void over_another_ipam_a_failed_add_deletes_and_del_without_a_record_is_handed_on()
      throws IOException {
    Map<CniVariable, String> env = podWithPlugin(recording());
    bench.network.fails = true;
    failed(CniError.KERNEL_REFUSED, bench.call("ADD", env, FOREIGN));
    assertThat(calls()).containsExactly("ADD", "DEL");
    bench.assertNothingIsLeft();
    assertThat(bench.call("DEL", env, FOREIGN)).isEqualTo(CniReply.success(""));
    assertThat(calls()).containsExactly("ADD", "DEL", "DEL");
    Files.createFile(bin.resolve("fail.ADD"));
    assertThat(failed(12, bench.call("ADD", env, FOREIGN)).get("msg").asText())
        .isEqualTo("IPAM plugin fake-ipam: no lease");
    bench.assertNothingIsLeft();
  }

  @Test
  void over_another_ipam_a_failed_del_is_success_and_owed() throws IOException {
    Map<CniVariable, String> env = podWithPlugin(recording());
    succeeded(bench.call("ADD", env, FOREIGN));
    Files.createFile(bin.resolve("fail.DEL"));
    assertThat(bench.call("DEL", env, FOREIGN)).isEqualTo(CniReply.success(""));
    assertThat(bench.network.wires).isEmpty();
    assertThat(bench.verbs.repeatReleases()).isEqualTo(1);
    Files.delete(bin.resolve("fail.DEL"));
    assertThat(bench.verbs.repeatReleases()).isZero();
    bench.assertNothingIsLeft();
  }

  @Test
  void over_another_ipam_gc_and_status_are_handed_on() throws IOException {
    Map<CniVariable, String> env = podWithPlugin(recording());
    String conf = FOREIGN.replace("1.0.0\"", "1.1.0\",\"cni.dev/valid-attachments\":[]");
    assertThat(bench.call("STATUS", env, conf)).isEqualTo(CniReply.success(""));
    assertThat(bench.call("GC", env, conf)).isEqualTo(CniReply.success(""));
    assertThat(calls()).containsExactly("STATUS", "GC");
    Files.createFile(bin.resolve("fail.STATUS"));
    failed(12, bench.call("STATUS", env, conf));
  }

  @Test
  void over_another_ipam_a_missing_silent_or_babbling_program_is_an_error_that_says_so()
      throws IOException {
    Map<CniVariable, String> env = podWithPlugin("exit 3\n");
    assertThat(failed(CniError.TRY_LATER, bench.call("ADD", env, FOREIGN)).get("msg").asText())
        .contains("fake-ipam", "exit code 3");
    failed(CniError.BAD_JSON, bench.call("ADD", podWithPlugin("echo hello\n"), FOREIGN));
    failed(
        CniError.BAD_CONFIG,
        bench.call("ADD", podWithPlugin("echo '{\"cniVersion\":\"1.0.0\"}'\n"), FOREIGN));
    failed(
        CniError.BAD_JSON,
        bench.call("ADD", podWithPlugin("head -c 3000000 /dev/zero\n"), FOREIGN));
    env.put(CniVariable.PATH, "/nowhere");
    assertThat(failed(CniError.BAD_CONFIG, bench.call("ADD", env, FOREIGN)).get("msg").asText())
        .contains("ipam.type", "fake-ipam", "CNI_PATH", "/nowhere", "install it");
  }
}
