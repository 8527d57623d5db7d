package io.margay.cli.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.cli.lab.LeakChecker.Kind;
import io.margay.cli.lab.LeakChecker.Leak;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Leaks are planted by hand, with `ip`, `nft` and `etcdctl`; no agent is there.
@Tag("netns")
class LeakCheckerTest {

  private static final Path RESOURCES =
      Path.of(
              System.getProperty(
                  "margay.root", Path.of("..").toAbsolutePath().normalize().toString()))
          .resolve("cli/src/test/resources");
  private static final String POD_END = "cali0123456789a";
  private static final String RESOURCE_KEY = "/calico/resources/v3/projectcalico.org/";

  private final String name = "mgyt" + ProcessHandle.current().pid() + "l";

  @AfterEach
  void take_down() throws LabException {
    LabTeardown.down(name, false);
  }

  @Test
  void one_planted_leak_of_each_kind_is_found_and_nothing_else() throws Exception {
    Path file = RESOURCES.resolve("standin/one-pod.yaml");
    Lab lab =
        Lab.raise(
                name,
                Topology.read(file),
                file,
                new Distribution(RESOURCES.resolve("standin")),
                new Lab.Options(false, false),
                _ -> {})
            .lab();
    String node = lab.plan().machineNamespace("node1");
    String id = lab.runtime().containerId(lab.plan().topology().pods().getFirst());
    plantInnocents(lab, node);
    assertThat(new LeakChecker(lab).check()).isEmpty();

    put(
        lab,
        "/calico/ipam/v2/assignment/ipv4/block/10.65.9.0-26",
        block("k8s-pod-network." + id, "null"));
    assertFound(
        lab, Kind.ADDRESS, "ordinal 1 of ipv4/block/10.65.9.0-26, handle k8s-pod-network." + id);
    delete(lab, "/calico/ipam/v2/assignment/ipv4/block/10.65.9.0-26");

    put(lab, "/calico/ipam/v2/handle/k8s-pod-network." + id, "{\"block\":{\"10.65.9.0/26\":1}}");
    assertFound(lab, Kind.HANDLE, "k8s-pod-network." + id);
    delete(lab, "/calico/ipam/v2/handle/k8s-pod-network." + id);

    put(lab, RESOURCE_KEY + "workloadendpoints/web/node1-k8s-web--1-eth0", "{}");
    assertFound(lab, Kind.ENDPOINT, "web/node1-k8s-web--1-eth0");
    delete(lab, RESOURCE_KEY + "workloadendpoints/web/node1-k8s-web--1-eth0");

    put(lab, "/margay/v1/attachments/node1", "{\"container\":\"" + id + "\"}");
    assertFound(lab, Kind.ETCD_KEY, "/margay/v1/attachments/node1");
    delete(lab, "/margay/v1/attachments/node1");

    ip(node, "link", "add", POD_END, "type", "veth", "peer", "name", "lost");
    assertFound(lab, Kind.VETH, POD_END);
    ip(node, "link", "del", POD_END);

    ip(node, "link", "add", "renamed", "type", "veth", "peer", "name", "lost");
    ip(node, "link", "set", "renamed", "alias", "margay:" + id + "/eth0");
    assertFound(lab, Kind.VETH, "renamed (margay:" + id + "/eth0)");
    ip(node, "link", "del", "renamed");

    ip(node, "route", "add", "10.65.9.1/32", "dev", "tor1", "proto", "117");
    assertFound(lab, Kind.ROUTE, "10.65.9.1 dev tor1");
    ip(node, "route", "del", "10.65.9.1/32");

    ip(node, "-6", "route", "add", "fd00:65::9/128", "dev", "tor1", "proto", "117");
    assertFound(lab, Kind.ROUTE, "fd00:65::9 dev tor1");
    ip(node, "-6", "route", "del", "fd00:65::9/128");

    nft(node, "add chain ip margay tw-" + POD_END);
    assertFound(lab, Kind.CHAIN, "ip margay chain: tw-" + POD_END);
    nft(node, "delete chain ip margay tw-" + POD_END);

    nft(node, "add element ip6 margay pods { fd00:65::9 }");
    assertFound(lab, Kind.SET_ELEMENT, "ip6 margay set pods: fd00:65::9");
    nft(node, "delete element ip6 margay pods { fd00:65::9 }");

    nft(node, "add element ip margay dispatch { \"" + POD_END + "\" : drop }");
    assertFound(lab, Kind.SET_ELEMENT, "ip margay map dispatch: " + POD_END);
    nft(node, "delete element ip margay dispatch { \"" + POD_END + "\" }");

    nft(node, "add rule ip margay forward iifname \"" + POD_END + "\" accept");
    assertFound(lab, Kind.RULE, "ip margay rule in forward: " + POD_END);
    nft(node, "flush chain ip margay forward");

    Path journal =
        lab.plan().stateDirectory(lab.plan().topology().nodes().getFirst()).resolve("journal");
    Files.createDirectories(journal);
    Path entry = Files.writeString(journal.resolve("a.json"), "{\"containerID\":\"" + id + "\"}");
    assertFound(lab, Kind.JOURNAL, entry + " names container " + id.substring(0, 12));
    Files.delete(entry);

    Path queue = lab.plan().runDirectory(lab.plan().topology().nodes().getFirst()).resolve("delq");
    Files.createDirectories(queue);
    Path waiting = Files.writeString(queue.resolve("1.del"), "frame");
    assertFound(lab, Kind.QUEUED_DELETION, waiting.toString());
    Files.delete(waiting);

    assertThat(new LeakChecker(lab).check()).isEmpty();
  }

  /// What stays when all pods are gone: blocks, reserved and cooling addresses, blackholes,
  /// networks in sets, the tables themselves.
  private static void plantInnocents(Lab lab, String node) throws Exception {
    put(
        lab,
        "/calico/ipam/v2/assignment/ipv4/block/10.65.1.0-26",
        block("margay-reserve.node1", "null"));
    put(
        lab,
        "/calico/ipam/v2/assignment/ipv4/block/10.65.2.0-26",
        block("k8s-pod-network.x", "\"2026-01-01T00:00:00Z\""));
    put(lab, "/calico/ipam/v2/handle/margay-reserve.node1", "{}");
    put(lab, RESOURCE_KEY + "nodes/node1", "{}");
    ip(node, "route", "add", "blackhole", "10.65.1.0/26", "proto", "117");
    ip(node, "route", "add", "10.65.77.0/26", "dev", "tor1", "proto", "117");
    nft(
        node,
        "add table ip margay; add table ip6 margay; add chain ip margay forward;"
            + "add set ip6 margay pods { type ipv6_addr; };"
            + "add set ip margay pools { type ipv4_addr; flags interval; };"
            + "add element ip margay pools { 10.65.0.0/16 };"
            + "add map ip margay dispatch { type ifname : verdict; };");
  }

  private static String block(String handle, String releasedAt) {
    return """
    {"cidr":"10.65.9.0/26","affinity":"host:node1","allocations":[null,0,null],"unallocated":[0,2],
     "attributes":[{"handle_id":"%s","secondary":{},"releasedAt":%s}]}"""
        .formatted(handle, releasedAt);
  }

  private static void assertFound(Lab lab, Kind kind, String what) throws LabException {
    boolean etcd = List.of(Kind.ADDRESS, Kind.HANDLE, Kind.ENDPOINT, Kind.ETCD_KEY).contains(kind);
    assertThat(new LeakChecker(lab).check())
        .contains(new Leak(kind, etcd ? "etcd" : "node1", what))
        .hasSize(1);
  }

  private static void put(Lab lab, String key, String value) throws LabException {
    lab.etcdctl("put", key, value).output();
  }

  private static void delete(Lab lab, String key) throws LabException {
    lab.etcdctl("del", key).output();
  }

  private static void ip(String namespace, String... arguments) throws LabException {
    String[] argv = new String[arguments.length + 3];
    argv[0] = "ip";
    argv[1] = "-n";
    argv[2] = namespace;
    System.arraycopy(arguments, 0, argv, 3, arguments.length);
    Command.of(argv).output();
  }

  private static void nft(String namespace, String commands) throws LabException {
    Command.in(namespace, "nft", commands).output();
  }
}
