package io.margay.it.cni;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// What has to be true of a node between calls: everything that exists for a pod belongs to one
/// that lives, and a pod that lives has everything. Read with `ip -j`, `nft -j`, `etcdctl` and from
/// the files; nothing of the product's code is used, so that both can't be wrong in the same way.
final class Invariants {

  private static final String BLOCKS = "/calico/ipam/v2/assignment/";
  private static final String HANDLES = "/calico/ipam/v2/handle/";
  private static final String ENDPOINTS =
      "/calico/resources/v3/projectcalico.org/workloadendpoints/";

  /// The node's own, for the time without etcd.
  private static final String RESERVED = "margay-reserve.";

  private static final Pattern HOST_END = Pattern.compile("cali[0-9a-f]{11}");
  private static final Pattern CUT = Pattern.compile("mgyd[0-9]+");
  private static final Pattern POD_ADDRESS =
      Pattern.compile("10\\.65\\.[0-9]+\\.[0-9]+|fd00:65:[0-9a-f:]+");

  private final Node node;

  Invariants(Node node) {
    this.node = node;
  }

  /// A pod that lives.
  record Live(String hostEnd, List<String> addresses) {}

  /// What is wrong, a line each.
  ///
  /// @param live by container id
  List<String> violations(Map<String, Live> live) throws Exception {
    List<String> wrong = new ArrayList<>();
    etcd(live, wrong);
    Set<String> hostEnds = live.values().stream().map(Live::hostEnd).collect(Collectors.toSet());
    Set<String> addresses =
        live.values().stream().flatMap(pod -> pod.addresses().stream()).collect(Collectors.toSet());
    links(hostEnds, wrong);
    routes(hostEnds, addresses, wrong);
    nftables(hostEnds, addresses, wrong);
    files(live.keySet(), wrong);
    return wrong;
  }

  /// Waits for what may take its time: deletions in groups, self-reclaim, releases repeated.
  ///
  /// @return what is still wrong in the end
  List<String> settled(Map<String, Live> live) throws Exception {
    List<String> wrong = violations(live);
    for (int i = 0; i < 120 && !wrong.isEmpty(); i++) {
      Thread.sleep(250);
      wrong = violations(live);
    }
    return wrong;
  }

  /// Waits until everything that pods need is there, whatever else is.
  List<String> lacking(Map<String, Live> live) throws Exception {
    List<String> lacking = lackingNow(live);
    for (int i = 0; i < 120 && !lacking.isEmpty(); i++) {
      Thread.sleep(250);
      lacking = lackingNow(live);
    }
    return lacking;
  }

  private List<String> lackingNow(Map<String, Live> live) throws Exception {
    List<String> wrong = new ArrayList<>();
    etcd(live, wrong);
    return wrong.stream().filter(line -> line.startsWith("etcd lacks")).toList();
  }

  private void etcd(Map<String, Live> live, List<String> wrong) throws Exception {
    String shown =
        node.exec(
            "env",
            "ETCDCTL_API=3",
            "etcdctl",
            "--endpoints",
            node.etcd(),
            "get",
            "--prefix",
            "/calico",
            "-w",
            "json");
    Set<String> handles = new HashSet<>();
    Set<String> assigned = new HashSet<>();
    Set<String> endpoints = new HashSet<>();
    for (JsonNode pair : Node.JSON.readTree(shown).path("kvs")) {
      String key = text(pair.path("key"));
      String value = text(pair.path("value"));
      if (key.startsWith(BLOCKS)) {
        block(Node.JSON.readTree(value), assigned);
      } else if (key.startsWith(HANDLES)) {
        handles.add(container(key.substring(HANDLES.length())));
      } else if (key.startsWith(ENDPOINTS)) {
        endpoints.add(Node.JSON.readTree(value).path("spec").path("containerID").asText());
      }
    }
    compare("handle", handles, live.keySet(), wrong);
    compare("address", assigned, live.keySet(), wrong);
    compare("WorkloadEndpoint", endpoints, live.keySet(), wrong);
  }

  /// The container of a handle `<network>.<container>`.
  private static String container(String handle) {
    return handle.startsWith(RESERVED) ? RESERVED : handle.substring(handle.indexOf('.') + 1);
  }

  private static void block(JsonNode block, Set<String> assigned) {
    for (JsonNode index : block.path("allocations")) {
      if (!index.isNull()) {
        JsonNode attribute = block.path("attributes").path(index.asInt());
        if (attribute.path("releasedAt").isMissingNode() || attribute.path("releasedAt").isNull()) {
          assigned.add(container(attribute.path("handle_id").asText()));
        }
      }
    }
  }

  private static void compare(
      String what, Set<String> found, Set<String> live, List<String> wrong) {
    for (String one : found) {
      if (!live.contains(one) && !one.equals(RESERVED)) {
        wrong.add("etcd has a leaked " + what + " of " + one);
      }
    }
    for (String one : live) {
      if (!found.contains(one)) {
        wrong.add("etcd lacks the " + what + " of " + one);
      }
    }
  }

  private static String text(JsonNode base64) {
    return new String(Base64.getDecoder().decode(base64.asText()), StandardCharsets.UTF_8);
  }

  private void links(Set<String> hostEnds, List<String> wrong) throws Exception {
    Set<String> found = new HashSet<>();
    String shown = Node.command("ip", "-n", node.netns(), "-d", "-j", "link");
    for (JsonNode link : Node.JSON.readTree(shown)) {
      String name = link.path("ifname").asText();
      String alias = link.path("ifalias").asText();
      if (HOST_END.matcher(name).matches()
          || CUT.matcher(name).matches()
          || alias.startsWith("margay:")) {
        found.add(name);
        if (!hostEnds.contains(name)) {
          wrong.add("veth " + name + " (" + alias + ") is leaked");
        }
      }
    }
    hostEnds.stream()
        .filter(name -> !found.contains(name))
        .forEach(name -> wrong.add("veth " + name + " of a live pod is missing"));
  }

  private void routes(Set<String> hostEnds, Set<String> addresses, List<String> wrong)
      throws Exception {
    Set<String> found = new HashSet<>();
    for (String family : List.of("-4", "-6")) {
      String shown = Node.command("ip", "-n", node.netns(), "-N", "-j", family, "route", "show");
      for (JsonNode route : Node.JSON.readTree(shown.isBlank() ? "[]" : shown)) {
        String to = route.path("dst").asText();
        String device = route.path("dev").asText();
        if (POD_ADDRESS.matcher(to).matches()) {
          found.add(to);
          if (!addresses.contains(to) || !hostEnds.contains(device)) {
            wrong.add("route " + to + " dev " + device + " is leaked");
          }
        }
      }
    }
    addresses.stream()
        .filter(address -> !found.contains(address))
        .forEach(address -> wrong.add("the route to the live pod at " + address + " is missing"));
  }

  private void nftables(Set<String> hostEnds, Set<String> addresses, List<String> wrong)
      throws Exception {
    Set<String> interfaces = new HashSet<>();
    for (JsonNode entry :
        Node.JSON.readTree(node.exec("nft", "-j", "list", "ruleset")).path("nftables")) {
      for (String kind : List.of("chain", "rule", "set", "map")) {
        JsonNode body = entry.path(kind);
        if (body.path("table").asText().equals("margay")) {
          collect(kind, body, interfaces, addresses, wrong);
        }
      }
    }
    for (String found : interfaces) {
      if (!hostEnds.contains(found)) {
        wrong.add("our nft tables still name " + found);
      }
    }
    for (String hostEnd : hostEnds) {
      if (!interfaces.contains(hostEnd)) {
        wrong.add("our nft tables do not name the live " + hostEnd);
      }
    }
  }

  private static void collect(
      String kind,
      JsonNode json,
      Set<String> interfaces,
      Set<String> addresses,
      List<String> wrong) {
    if (json.has("prefix") || json.has("range")) {
      return; // a pool or a network, no pod
    }
    if (json.isTextual()) {
      Matcher name = HOST_END.matcher(json.asText());
      if (name.find()) {
        interfaces.add(name.group());
      }
      if (POD_ADDRESS.matcher(json.asText()).matches() && !addresses.contains(json.asText())) {
        wrong.add("a " + kind + " of ours still holds " + json.asText());
      }
    }
    json.forEach(child -> collect(kind, child, interfaces, addresses, wrong));
  }

  private void files(Set<String> live, List<String> wrong) throws IOException {
    Set<String> journal = new HashSet<>();
    for (Path file : list(node.state().resolve("journal"))) {
      String name = file.getFileName().toString();
      if (name.startsWith(".spare-")) {
        continue;
      }
      String container = name.split("@", 2)[0];
      journal.add(container);
      if (!name.endsWith(".json") || !live.contains(container)) {
        wrong.add("the journal has " + name);
      }
    }
    for (String container : live) {
      if (!journal.contains(container)) {
        wrong.add("the journal lacks " + container);
      }
    }
    for (Path file : list(node.run().resolve("delq"))) {
      if (!file.getFileName().toString().equals(".lock")) {
        wrong.add("the queue of deletions has " + file.getFileName());
      }
    }
  }

  private static List<Path> list(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files.toList();
    }
  }
}
