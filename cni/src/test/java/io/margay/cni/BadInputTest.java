package io.margay.cni;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.cni.protocol.CniReply;
import io.margay.cni.protocol.CniVariable;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniJson;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Every rule of the specification about what may come in: the code, the words that say what is
/// wrong, and what to do.
final class BadInputTest {

  private static final String GOOD = "{\"cniVersion\":\"1.0.0\",\"name\":\"net\"}";

  @TempDir Path directory;
  private VerbsBench bench;

  @BeforeEach
  void start() throws IOException {
    bench = new VerbsBench(directory);
  }

  private static Arguments row(
      String command, String change, String conf, int code, String... words) {
    return Arguments.of(command, change, conf, code, List.of(words));
  }

  private static String conf(String more) {
    return "{\"cniVersion\":\"1.0.0\",\"name\":\"net\"," + more + "}";
  }

  private static String labels(String key, String value) {
    return "\"args\":{\"cni\":{\"labels\":[{\"key\":\""
        + key
        + "\",\"value\":\""
        + value
        + "\"}]}}";
  }

  static Stream<Arguments> rows() {
    return Stream.of(
        // The environment comes first, whatever the configuration is.
        row("", "", "x", 4, "CNI_COMMAND", "unknown"),
        row("GET", "", "x", 4, "CNI_COMMAND \"GET\"", "use CHECK"),
        row("add", "", "x", 4, "CNI_COMMAND \"add\""),
        row("ADD", "CNI_CONTAINERID=", "x", 4, "missing: CNI_CONTAINERID"),
        row("ADD", "CNI_NETNS=", "x", 4, "missing: CNI_NETNS"),
        row("ADD", "CNI_IFNAME=", "x", 4, "missing: CNI_IFNAME"),
        row("ADD", "CNI_PATH=", "x", 4, "missing: CNI_PATH"),
        row("CHECK", "CNI_NETNS=", "x", 4, "CHECK", "CNI_NETNS"),
        row("DEL", "CNI_CONTAINERID=", "x", 4, "CNI_CONTAINERID"),
        row("DEL", "CNI_IFNAME=", "x", 4, "CNI_IFNAME"),
        row("GC", "CNI_PATH=", "x", 4, "CNI_PATH"),
        row("STATUS", "CNI_PATH=", "x", 4, "CNI_PATH"),
        row("ADD", "CNI_CONTAINERID=../c", "x", 4, "CNI_CONTAINERID", "../c", "must be"),
        row("ADD", "CNI_CONTAINERID=-c", "x", 4, "must be", "the first a letter or digit"),
        row("ADD", "CNI_CONTAINERID=a b", "x", 4, "must be"),
        row("ADD", "CNI_IFNAME=.", "x", 4, "CNI_IFNAME"),
        row("ADD", "CNI_IFNAME=..", "x", 4, "CNI_IFNAME"),
        row("ADD", "CNI_IFNAME=a/b", "x", 4, "a/b"),
        row("ADD", "CNI_IFNAME=a:b", "x", 4, "a:b"),
        row("ADD", "CNI_IFNAME=a b", "x", 4, "a b"),
        row("ADD", "CNI_IFNAME=sixteen-letters-", "x", 4, "sixteen-letters-"),
        row("ADD", "CNI_ARGS=noequals", GOOD, 4, "CNI_ARGS", "noequals", "KEY=VALUE"),
        // Then JSON, then the name, then the version.
        row("ADD", "", "", 6, "not a JSON object"),
        row("ADD", "", "x", 6, "not JSON"),
        row("ADD", "", "[]", 6, "not a JSON object"),
        row("ADD", "", "{\"name\":\"net\",", 6, "not JSON"),
        row("ADD", "", GOOD + GOOD, 6, "not JSON"),
        row("ADD", "", "{\"cniVersion\":\"9.9.9\"}", 7, "key name"),
        row("ADD", "", "{\"name\":\"../etc\",\"cniVersion\":\"9.9.9\"}", 7, "../etc"),
        row("ADD", "", "{\"name\":\"net\",\"cniVersion\":\"1.0.1\",\"mtu\":\"x\"}", 1, "1.0.1"),
        row("CHECK", "", "{\"name\":\"net\",\"cniVersion\":\"0.3.1\"}", 1, "does not allow CHECK"),
        row("GC", "", GOOD, 1, "does not allow GC"),
        row("STATUS", "", GOOD, 1, "does not allow STATUS"),
        // Then what the verb reads.
        row("ADD", "", conf("\"mtu\":68"), 7, "key mtu", "1280"),
        row("ADD", "", conf("\"ipam\":{\"type\":\"a/b\"}"), 7, "ipam.type", "a/b", "CNI_PATH"),
        row("ADD", "", conf("\"ipam\":{\"type\":\"..\"}"), 7, "ipam.type", ".."),
        row("ADD", "", conf("\"ipam\":{\"type\":\"nobody\"}"), 7, "nobody", "install it"),
        row("ADD", "", conf("\"ipam\":{\"assign_ipv4\":false}"), 7, "needs an address"),
        row("ADD", "", conf("\"ipam\":{\"subnet\":\"x\"}"), 7, "ipam.subnet", "CIDR"),
        row("ADD", "", conf("\"strict\":true,\"colour\":\"red\""), 2, "colour", "red", "remove it"),
        row("ADD", "", conf("\"runtimeConfig\":{\"ips\":[\"x\"]}"), 7, "runtimeConfig.ips", "x"),
        row("ADD", "", conf("\"runtimeConfig\":{\"aliases\":[1]}"), 7, "runtimeConfig.aliases"),
        row(
            "ADD",
            "",
            conf(
                "\"args\":{\"org.apache.mesos\":{\"network_info\":{\"labels\":{\"labels\":[{}]}}}}"),
            7,
            "network_info.labels.labels",
            "needs a key"),
        row("ADD", "CNI_ARGS=IP=x", GOOD, 7, "IP of CNI_ARGS"),
        row("ADD", "CNI_ARGS=MAC=01:00:00:00:00:01", GOOD, 7, "MAC of CNI_ARGS", "unicast"),
        // Then what would be stored, and nobody could read.
        row(
            "ADD",
            "CNI_ARGS=K8S_POD_NAMESPACE=Team_A;K8S_POD_NAME=web-0",
            GOOD,
            7,
            "key CNI_ARGS.K8S_POD_NAMESPACE",
            "\"Team_A\"",
            "of a-z 0-9 and -"),
        row(
            "ADD",
            "",
            conf(labels("app", "a@b")),
            7,
            "key args.cni.labels.app",
            "\"a@b\"",
            "of A-Z a-z 0-9 - _ and ."),
        row("ADD", "", conf(labels("a b", "c")), 7, "key args.cni.labels", "\"a b\""),
        row("CHECK", "", GOOD, 7, "prevResult", "missing"),
        row("ADD", "", conf("\"prevResult\":{\"cniVersion\":\"7\"}"), 1, "prevResult.cniVersion"),
        row("GC", "", GOOD.replace("1.0.0", "1.1.0"), 7, "valid-attachments", "deletes nothing"));
  }

  @ParameterizedTest(name = "{0} {1} {2}")
  @MethodSource("rows")
  void every_rule_has_its_code_and_says_what_and_where(
      String command, String change, String conf, int code, List<String> words) throws IOException {
    Map<CniVariable, String> env = VerbsBench.pod("c1");
    if (!change.isEmpty()) {
      int equals = change.indexOf('=');
      for (CniVariable variable : CniVariable.values()) {
        if (variable.variable().equals(change.substring(0, equals))) {
          env.put(variable, change.substring(equals + 1));
        }
      }
    }
    JsonNode error = VerbsBench.failed(code, bench.call(command, env, conf));
    assertThat(error.get("msg").asText()).contains(words);
    assertThat(error.get("cniVersion").asText()).isNotEmpty();
    bench.assertNothingIsLeft();
  }

  @ParameterizedTest(name = "{0}")
  @ValueSource(
      strings = {
        "\"mtu\":900",
        "\"strict\":true,\"colour\":\"red\"",
        "\"strict\":7",
        "\"runtimeConfig\":{\"ips\":[\"x\"]}",
        "\"runtimeConfig\":7",
        "\"args\":[]",
        "\"ipam\":7",
        "\"ipam\":{\"type\":\"a/b\"}",
        "\"ipam\":{\"type\":7}",
        "\"prevResult\":{\"cniVersion\":\"7\"}"
      })
  void del_reads_no_more_of_a_configuration_than_it_needs(String odd) throws IOException {
    VerbsBench.succeeded(bench.call("ADD", VerbsBench.pod("c1"), GOOD));
    Map<CniVariable, String> env = VerbsBench.pod("c1");
    env.put(CniVariable.ARGS, "foo");
    assertThat(bench.call("DEL", env, conf(odd))).isEqualTo(CniReply.success(""));
    bench.assertNothingIsLeft();
    assertThat(bench.call("DEL", env, conf(odd))).as("again").isEqualTo(CniReply.success(""));
    bench.assertNothingIsLeft();
  }

  @Test
  void nothing_that_is_large_deep_torn_or_no_text_hurts() throws IOException {
    List<byte[]> configurations = new ArrayList<>();
    configurations.add(new byte[10 << 20]);
    configurations.add(
        conf("\"x\":\"" + "a".repeat(CniJson.MAX_OCTETS) + "\"").getBytes(StandardCharsets.UTF_8));
    configurations.add(conf("\"x\":" + "[".repeat(200_000)).getBytes(StandardCharsets.UTF_8));
    configurations.add(
        conf("\"x\":" + "{\"x\":".repeat(10_000) + "1" + "}".repeat(10_000))
            .getBytes(StandardCharsets.UTF_8));
    configurations.add(conf("\"x\":" + "1".repeat(5_000)).getBytes(StandardCharsets.UTF_8));
    configurations.add("{\"name\":\"\u00ff\"}".getBytes(StandardCharsets.ISO_8859_1));
    configurations.add("{\"name\":\"net\"}".getBytes(StandardCharsets.UTF_16));
    byte[] whole = GOOD.getBytes(StandardCharsets.UTF_8);
    for (int length = 0; length < whole.length; length++) {
      configurations.add(Arrays.copyOf(whole, length));
    }
    for (byte[] configuration : configurations) {
      CniReply reply = bench.call("margay-cni", "ADD", VerbsBench.pod("c1"), configuration);
      assertThat(VerbsBench.failed(6, reply).get("msg").asText().length()).isLessThan(500);
    }
    bench.assertNothingIsLeft();
  }

  /// go-cni takes a DEL for done whose error has these words.
  private static void assertNotSwallowed(CniReply reply) {
    assertThat(reply.stdout().toLowerCase(Locale.ROOT))
        .doesNotContain("not found", "no such file or directory");
  }

  @Test
  void no_error_of_del_has_words_that_runtimes_swallow() throws Exception {
    // Whatever is wrong with the request.
    for (Arguments row : rows().toList()) {
      String conf = String.valueOf(row.get()[2]);
      assertNotSwallowed(bench.call("DEL", VerbsBench.pod("not found"), conf));
      assertNotSwallowed(bench.call("DEL", VerbsBench.pod("c1"), conf));
    }
    assertNotSwallowed(bench.call("DEL", VerbsBench.pod("c1"), "{\"name\":\"not found\"}"));
    assertNotSwallowed(
        bench.call("DEL", VerbsBench.pod("c1"), conf("\"mtu\":\"No such file or directory\"")));
    // Whatever fails on the way.
    VerbsBench.succeeded(bench.call("ADD", VerbsBench.pod("c2"), GOOD));
    bench.network.unwireFailure =
        Optional.of("link veth not found: open /x: no such file or directory");
    CniReply reply = bench.call("DEL", VerbsBench.pod("c2"), GOOD);
    assertThat(reply.exitCode()).isEqualTo(1);
    assertNotSwallowed(reply);
    assertThat(reply.stdout()).contains("link veth missing: open /x: ENOENT");
    bench.network.unwireFailure = Optional.empty();
    bench.addresses.awayForReleases = true;
    assertThat(bench.call("DEL", VerbsBench.pod("c2"), GOOD)).isEqualTo(CniReply.success(""));
  }

  @Test
  void an_error_tells_the_trace_it_belongs_to() throws IOException {
    Map<CniVariable, String> env = VerbsBench.pod("c1");
    env.put(CniVariable.TRACEPARENT, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    JsonNode error = VerbsBench.failed(CniError.BAD_CONFIG, bench.call("CHECK", env, GOOD));
    assertThat(error.get("details").asText()).isEqualTo("trace 4bf92f3577b34da6a3ce929d0e0e4736");
    for (String none :
        List.of("", "garbage", "00-" + "0".repeat(32) + "-00f067aa0ba902b7-01", "ff-4bf9")) {
      env.put(CniVariable.TRACEPARENT, none);
      assertThat(
              VerbsBench.failed(CniError.BAD_CONFIG, bench.call("CHECK", env, GOOD)).has("details"))
          .isFalse();
    }
  }

  @Test
  void odd_keys_are_said_once_a_network() throws IOException {
    Map<CniVariable, String> env = VerbsBench.pod("c1");
    env.put(
        CniVariable.ARGS,
        "NOMAD_JOB_ID=j;NERDCTL_CNI_DHCP_HOSTNAME=h;CONSUL_IPTABLES_CONFIG={\"a\"=1};ODD=1");
    CniReply first = bench.call("ADD", env, conf("\"colour\":\"red\""));
    assertThat(first.stderr())
        .isEqualTo(
            """
            margay-cni: network net: unknown keys ignored: colour
            margay-cni: network net: unknown CNI_ARGS ignored: ODD
            """);
    assertThat(bench.call("ADD", env, conf("\"colour\":\"red\"")).stderr()).isEmpty();
    env.put(CniVariable.ARGS, "IgnoreUnknown=1;ODDER=1");
    assertThat(bench.call("ADD", env, GOOD).stderr()).isEmpty();
  }
}
