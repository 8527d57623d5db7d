package io.margay.cni;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.cni.protocol.CniVariable;
import io.margay.cni.spec.CniError;
import io.margay.model.k8s.KubernetesPod;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Metadata;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a pod's annotations ask of its network, and who is heard when several ask.
final class AnnotationsTest {

  private static final String ADDRS = "cni.projectcalico.org/ipAddrs";

  @TempDir Path directory;
  private VerbsBench bench;

  @BeforeEach
  void start() throws IOException {
    bench = new VerbsBench(directory);
  }

  private static String conf(String name, String value, String more) {
    return "{\"cniVersion\":\"1.0.0\",\"name\":\"net\","
        + more
        + "\"runtimeConfig\":{\"io.kubernetes.cri.pod-annotations\":{\""
        + name
        + "\":\""
        + value.replace("\"", "\\\"")
        + "\"}}}";
  }

  private JsonNode add(String conf, String args) throws IOException {
    Map<CniVariable, String> env = VerbsBench.pod("c1");
    env.put(CniVariable.ARGS, env.get(CniVariable.ARGS) + args);
    JsonNode result = VerbsBench.succeeded(bench.call("ADD", env, conf));
    VerbsBench.succeeded(bench.call("DEL", env, conf));
    return result;
  }

  private static KubernetesPod document(String name, String value) {
    return new KubernetesPod(
        Metadata.named("default", "web-0").withAnnotations(Map.of(name, value)),
        KubernetesPod.Spec.EMPTY);
  }

  @Test
  void addresses_args_cni_beat_the_document_that_beats_the_runtimes_and_cni_args_come_last()
      throws IOException {
    String annotated = conf(ADDRS, "[\"10.0.0.20\"]", "");
    assertThat(add(annotated, ";IP=10.0.0.10").toString()).contains("10.0.0.20/32");
    bench.said = Optional.of(document(ADDRS, "[\"10.0.0.30\"]"));
    assertThat(add(annotated, ";IP=10.0.0.10").toString()).contains("10.0.0.30/32");
    assertThat(
            add(conf(ADDRS, "[\"10.0.0.20\"]", "\"args\":{\"cni\":{\"ips\":[\"10.0.0.40\"]}},"), "")
                .toString())
        .contains("10.0.0.40/32");
  }

  @Test
  void mac_pools_and_families_are_heard() throws IOException {
    assertThat(
            add(
                    conf("cni.projectcalico.org/hwAddr", "02:11:22:33:44:55", ""),
                    ";MAC=02:00:00:00:00:01")
                .get("interfaces")
                .get(1)
                .get("mac")
                .asText())
        .isEqualTo("02:11:22:33:44:55");
    add(
        conf(
            "cni.projectcalico.org/ipv4pools",
            "[\"special\"]",
            "\"ipam\":{\"ipv4_pools\":[\"usual\"]},"),
        "");
    assertThat(bench.addresses.wishes.getLast().ipv4Pools()).containsExactly("special");
    assertThat(
            add(conf("cni.projectcalico.org/ipFamilies", "[\"IPv6\"]", ""), "")
                .get("ips")
                .toString())
        .contains("fd00::")
        .doesNotContain("10.0.0.");
  }

  @Test
  void what_cannot_be_read_or_had_stops_add_and_never_del() throws IOException {
    for (String value : new String[] {"10.0.0.1", "[1]", "[\"x\"]", "{}"}) {
      String conf = conf(ADDRS, value, "");
      assertThat(
              VerbsBench.failed(CniError.BAD_CONFIG, bench.call("ADD", VerbsBench.pod("c1"), conf))
                  .get("msg")
                  .asText())
          .contains(ADDRS);
      assertThat(bench.call("DEL", VerbsBench.pod("c1"), conf).exitCode()).isZero();
    }
    assertThat(
            VerbsBench.failed(
                    CniError.UNSUPPORTED_FIELD,
                    bench.call(
                        "ADD",
                        VerbsBench.pod("c1"),
                        conf("cni.projectcalico.org/ipAddrsNoIpam", "[\"10.0.0.1\"]", "")))
                .get("msg")
                .asText())
        .contains("ipAddrsNoIpam", "10.0.0.1", "use cni.projectcalico.org/ipAddrs");
    bench.assertNothingIsLeft();
  }

  @Test
  void mesos_labels_aliases_of_both_shapes_and_dns_reach_where_they_belong() throws IOException {
    String mesos =
        "{\"name\":\"net\",\"cniVersion\":\"0.3.1\",\"dns\":{\"nameservers\":[\"10.0.0.53\"]},\"args\":{\"org.apache.mesos\":{\"network_info\":"
            + "{\"labels\":{\"labels\":[{\"key\":\"app\",\"value\":\"web\"}]},\"port_mappings\":[{\"host_port\":8080,\"container_port\":80}]}}},"
            + "\"runtimeConfig\":{\"aliases\":{\"net\":[\"db\",\"a0\"],\"other\":[\"x\"]}}}";
    JsonNode result = VerbsBench.succeeded(bench.call("ADD", VerbsBench.pod("c1"), mesos));
    assertThat(result.get("dns").toString()).isEqualTo("{\"nameservers\":[\"10.0.0.53\"]}");
    Metadata metadata = bench.addresses.endpoints.values().iterator().next().metadata();
    assertThat(metadata.labels()).containsEntry("app", "web");
    assertThat(metadata.annotations()).containsEntry("margay.io/aliases", "db,a0");
    assertThat(bench.journal.all().getFirst().attachment().hostPorts())
        .singleElement()
        .satisfies(port -> assertThat(port.place()).isEqualTo("hostPort 8080/tcp"));
    assertThat(bench.addresses.handles.values().iterator().next())
        .containsExactly(IpAddress.parse("10.0.0.1"));
  }

  private static final String SOURCES = "cni.projectcalico.org/allowedSourcePrefixes";

  @Test
  void further_source_addresses_reach_the_endpoint_and_outlive_the_agent() throws IOException {
    String conf = conf(SOURCES, "[\"198.51.100.7/24\",\"2001:db8::5\"]", "");
    VerbsBench.succeeded(bench.call("ADD", VerbsBench.pod("c1"), conf));
    assertThat(
            bench
                .addresses
                .endpoints
                .values()
                .iterator()
                .next()
                .spec()
                .allowSpoofedSourcePrefixes())
        .containsExactly(Prefix.parse("198.51.100.0/24"), Prefix.parse("2001:db8::5/128"));
    VerbsBench next = new VerbsBench(directory);
    assertThat(next.journal.all().getFirst().attachment().routes().sources()).hasSize(2);
    for (String wrong : new String[] {"198.51.100.7", "[\"x\"]", "[\"198.51.100.7/33\"]"}) {
      assertThat(
              VerbsBench.failed(
                      CniError.BAD_CONFIG,
                      bench.call("ADD", VerbsBench.pod("c2"), conf(SOURCES, wrong, "")))
                  .get("msg")
                  .asText())
          .contains(SOURCES);
    }
  }

  @Test
  void floating_addresses_are_refused_as_by_calico_where_they_are_not_enabled() throws IOException {
    String name = "cni.projectcalico.org/floatingIPs";
    assertThat(
            VerbsBench.failed(
                    CniError.UNSUPPORTED_FIELD,
                    bench.call("ADD", VerbsBench.pod("c1"), conf(name, "[\"203.0.113.9\"]", "")))
                .get("msg")
                .asText())
        .contains(name, "203.0.113.9", "remove it");
    bench.assertNothingIsLeft();
    add(conf(name, "[]", ""), "");
  }

  @Test
  void limits_that_nobody_sets_are_said_to_be_ignored() throws IOException {
    String conf = conf("qos.projectcalico.org/ingressBandwidth", "10M", "");
    assertThat(bench.call("ADD", VerbsBench.pod("c1"), conf).stderr())
        .isEqualTo(
            "margay-cni: c1/eth0: pod annotations without effect:"
                + " qos.projectcalico.org/ingressBandwidth; use kubernetes.io/ingress-bandwidth"
                + " and kubernetes.io/egress-bandwidth\n");
    assertThat(bench.call("DEL", VerbsBench.pod("c1"), conf).stderr()).isEmpty();
  }
}
