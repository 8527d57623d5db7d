package io.margay.it.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.it.Rack;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/// Everything on the node and in etcd that a pod brings and must take along: links, routes, sysfs
/// queues, nft objects of all tables, iptables chains, journal, queued deletions, addresses and
/// keys. Read with `ip`, `tc`, `nft`, `etcdctl` and from files, by the formats of the kernel and of
/// Calico alone.
record Leftovers(RuntimeLab lab, Set<String> found) {

  private static final String BLOCKS = "/calico/ipam/v2/assignment/";
  private static final String AFFINITIES = "/calico/ipam/v2/host/";
  private static final String HANDLES = "/calico/ipam/v2/handle/";

  /// Addresses an agent sets aside for the time etcd is away, and gateways it gives to plugins that
  /// want one; they belong to the node and the pool.
  private static final List<String> OWN = List.of("margay-reserve.", "margay-gateway.");

  private static final String ROUTE_PROTOCOL = "117";
  private static final long PATIENCE_NANOS = 20_000_000_000L;
  private static final long POLL_MILLIS = 200;
  private static final long STILL_MILLIS = 500;

  /// What there is once nothing changes any more: deletions of an earlier test that are answered
  /// may still be on their way.
  static Leftovers of(RuntimeLab lab) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + PATIENCE_NANOS;
    Set<String> now = read(lab);
    Set<String> before;
    do {
      before = now;
      Thread.sleep(STILL_MILLIS);
      now = read(lab);
    } while (!now.equals(before) && System.nanoTime() < deadline);
    return new Leftovers(lab, now);
  }

  private static Set<String> read(RuntimeLab lab) throws IOException, InterruptedException {
    Set<String> found = new TreeSet<>();
    links(lab, found);
    queues(lab, found);
    routes(lab, found);
    rules(lab, found);
    journal(lab, found);
    store(lab, found);
    return found;
  }

  /// Deletions that are answered may still be on their way; they get a moment.
  void assertNothingMore() throws IOException, InterruptedException {
    long deadline = System.nanoTime() + PATIENCE_NANOS;
    Set<String> now = read(lab);
    while (!now.equals(found) && System.nanoTime() < deadline) {
      Thread.sleep(POLL_MILLIS);
      now = read(lab);
    }
    Set<String> more = new TreeSet<>(now);
    more.removeAll(found);
    assertThat(more).as("left behind on the node and in etcd").isEmpty();
    Set<String> less = new TreeSet<>(found);
    less.removeAll(now);
    assertThat(less).as("taken away from the node and etcd").isEmpty();
  }

  private static void links(RuntimeLab lab, Set<String> found)
      throws IOException, InterruptedException {
    for (JsonNode link : json(lab, "ip", "-d", "-j", "link")) {
      found.add(
          "link " + link.path("ifname").asText() + " alias " + link.path("ifalias").asText("-"));
    }
  }

  private static void queues(RuntimeLab lab, Set<String> found)
      throws IOException, InterruptedException {
    for (String line : run(lab.nodeNetns(), "tc", "qdisc", "show").lines().toList()) {
      found.add("qdisc " + line);
    }
  }

  /// Blocks' blackholes stay with the node; what leads to a single pod does not.
  private static void routes(RuntimeLab lab, Set<String> found)
      throws IOException, InterruptedException {
    for (String family : List.of("-4", "-6")) {
      for (JsonNode route : json(lab, "ip", "-N", "-j", family, "route", "show", "table", "all")) {
        String destination = route.path("dst").asText();
        boolean ours = route.path("protocol").asText().equals(ROUTE_PROTOCOL);
        boolean toPod = route.path("dev").asText().startsWith("cali");
        if (toPod || ours && !destination.contains("/")) {
          found.add("route " + destination + " dev " + route.path("dev").asText("-"));
        }
      }
    }
  }

  /// All tables, whoever made them: a runtime's plugins write some, too.
  private static void rules(RuntimeLab lab, Set<String> found)
      throws IOException, InterruptedException {
    for (JsonNode entry : json(lab, "nft", "-j", "list", "ruleset").path("nftables")) {
      entry
          .properties()
          .forEach(
              object -> {
                String place =
                    object.getKey()
                        + " "
                        + object.getValue().path("family").asText()
                        + " "
                        + object.getValue().path("table").asText()
                        + " ";
                switch (object.getKey()) {
                  case "set", "map" -> {
                    String set = place + object.getValue().path("name").asText();
                    found.add(set);
                    object
                        .getValue()
                        .path("elem")
                        .forEach(element -> found.add(set + ": " + quiet(element)));
                  }
                  case "rule" ->
                      found.add(
                          place
                              + object.getValue().path("chain").asText()
                              + ": "
                              + quiet(object.getValue().path("expr")));
                  case "chain", "table" ->
                      found.add(place + object.getValue().path("name").asText());
                  default -> {}
                }
              });
    }
  }

  /// Without what counts and ticks by itself.
  private static JsonNode quiet(JsonNode json) {
    JsonNode copy = json.deepCopy();
    for (JsonNode counter : copy.findParents("packets")) {
      ((ObjectNode) counter).remove(List.of("packets", "bytes"));
    }
    for (JsonNode timer : copy.findParents("expires")) {
      ((ObjectNode) timer).remove("expires");
    }
    return copy;
  }

  private static void journal(RuntimeLab lab, Set<String> found) throws IOException {
    Path run = lab.state().resolveSibling("run");
    for (Path directory : List.of(lab.state().resolve("journal"), run.resolve("delq"))) {
      if (Files.isDirectory(directory)) {
        try (Stream<Path> files = Files.list(directory)) {
          files
              .filter(Files::isRegularFile)
              .filter(file -> !file.getFileName().toString().startsWith("."))
              .forEach(file -> found.add("file " + file));
        }
      }
    }
  }

  private static void store(RuntimeLab lab, Set<String> found)
      throws IOException, InterruptedException {
    String listing =
        run(
            lab.managementNetns(),
            "etcdctl",
            "--endpoints",
            lab.etcd(),
            "get",
            "--prefix",
            "/",
            "-w",
            "json");
    for (JsonNode pair : RuntimeLab.JSON.readTree(listing).path("kvs")) {
      String key = text(pair.path("key"));
      if (key.startsWith(BLOCKS)) {
        addresses(key, RuntimeLab.JSON.readTree(text(pair.path("value"))), found);
      } else if (!key.startsWith(AFFINITIES)
          && !(key.startsWith(HANDLES) && isOwn(key.substring(HANDLES.length())))) {
        found.add("key " + key);
      }
    }
  }

  /// Calico's block document: `allocations` holds indexes into `attributes`; one whose `releasedAt`
  /// is set is free and rests.
  private static void addresses(String key, JsonNode block, Set<String> found) {
    JsonNode allocations = block.path("allocations");
    for (int ordinal = 0; ordinal < allocations.size(); ordinal++) {
      if (!allocations.get(ordinal).isNull()) {
        JsonNode attribute = block.path("attributes").path(allocations.get(ordinal).asInt());
        String handle = attribute.path("handle_id").asText();
        if (!attribute.hasNonNull("releasedAt") && !isOwn(handle)) {
          found.add("address " + ordinal + " of " + key + ", handle " + handle);
        }
      }
    }
  }

  private static boolean isOwn(String handle) {
    return OWN.stream().anyMatch(handle::startsWith);
  }

  private static String text(JsonNode base64) {
    return new String(Base64.getDecoder().decode(base64.asText()), StandardCharsets.UTF_8);
  }

  private static JsonNode json(RuntimeLab lab, String... command)
      throws IOException, InterruptedException {
    String text = run(lab.nodeNetns(), command);
    return RuntimeLab.JSON.readTree(text.isBlank() ? "[]" : text);
  }

  private static String run(String netns, String... command)
      throws IOException, InterruptedException {
    List<String> full = new ArrayList<>(List.of("ip", "netns", "exec", netns));
    full.addAll(List.of(command));
    Rack.Run run = Rack.run(Map.of(), "", full);
    assertThat(run.exitCode()).as("%s: %s", full, run.err()).isZero();
    return run.out();
  }
}
