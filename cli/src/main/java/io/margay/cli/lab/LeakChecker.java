package io.margay.cli.lab;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import io.margay.agent.overlay.OverlayDriver;
import io.margay.cli.lab.Topology.Node;
import io.margay.cli.lab.Topology.Pod;
import io.margay.datastore.KeyValue;
import io.margay.datastore.SnapshotFile;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// Looks, after every pod of a lab was deleted, for what should have gone with them: with `ip -j`,
/// `nft -j`, `etcdctl` and the files of the nodes alone. It knows the formats of the kernel and of
/// Calico's etcd, nothing of the agent's code, so that both can't be wrong in the same way.
public final class LeakChecker {

  private static final String BLOCKS = "/calico/ipam/v2/assignment/";
  private static final String HANDLES = "/calico/ipam/v2/handle/";
  private static final String ENDPOINTS =
      "/calico/resources/v3/projectcalico.org/workloadendpoints/";

  /// Addresses an agent sets aside for the time etcd is away; they belong to the node.
  private static final String RESERVED = "margay-reserve.";

  /// Our number in the kernel's list of routing protocols.
  private static final String ROUTE_PROTOCOL = "117";

  /// The host end of a pod: Calico's prefix and eleven hex digits.
  private static final Pattern POD_INTERFACE = Pattern.compile("cali[0-9a-f]{11}");

  /// The tables `ip margay` and `ip6 margay`.
  private static final String TABLE = "margay";

  private static final String SNAPSHOT = "datastore.snapshot";
  private static final String RESERVE = "reserve";

  /// Lines of the reserve: the datastore knows what a handle has, or that it has nothing; who had
  /// something of it is gone.
  private static final Pattern RESERVE_STEP =
      Pattern.compile("\"op\":\"(settle|release)\",(\"handle\":\"[^\"]+\")");

  private static final Pattern RESERVE_ON_ITS_WAY =
      Pattern.compile("\"op\":\"moving\"|\"moving\":true");

  private static final int JOURNAL_DEPTH = 8;

  /// Digits of a container's id that a leak shows.
  static final int SHOWN_OF_CONTAINER = 12;

  /// What can be left behind.
  public enum Kind {
    ADDRESS,
    HANDLE,
    ENDPOINT,
    ETCD_KEY,
    VETH,
    ROUTE,
    CHAIN,
    SET_ELEMENT,
    RULE,
    JOURNAL,
    QUEUED_DELETION
  }

  /// One thing left behind.
  ///
  /// @param where a node, or `etcd`
  public record Leak(Kind kind, String where, String what) {
    @Override
    public String toString() {
      return kind.name().toLowerCase(Locale.ROOT).replace('_', ' ') + " on " + where + ": " + what;
    }
  }

  private final Lab lab;
  private final LabPlan plan;
  private final List<Leak> leaks = new ArrayList<>();

  public LeakChecker(Lab lab) {
    this.lab = lab;
    this.plan = lab.plan();
  }

  /// All leaks, in the order of [Kind] per place.
  public List<Leak> check() throws LabException {
    leaks.clear();
    Set<String> containers = containers();
    etcd(containers);
    for (Node node : plan.topology().nodes()) {
      String namespace = plan.machineNamespace(node.name());
      links(node, namespace);
      for (IpFamily family : IpFamily.values()) {
        routes(node, namespace, family);
      }
      nftables(node, namespace);
      files(node, containers);
    }
    return List.copyOf(leaks);
  }

  private Set<String> containers() {
    Set<String> ids = new HashSet<>();
    for (Pod pod : plan.topology().pods()) {
      ids.add(lab.runtime().containerId(pod));
    }
    return ids;
  }

  private void etcd(Set<String> containers) throws LabException {
    JsonNode all = json("etcdctl", lab.etcdctl("get", "--prefix", "/", "-w", "json").output());
    for (JsonNode pair : all.path("kvs")) {
      String key = text(pair.path("key"));
      String value = text(pair.path("value"));
      if (key.startsWith(BLOCKS)) {
        block(key, json(key, value));
      } else if (key.startsWith(HANDLES)) {
        String handle = key.substring(HANDLES.length());
        if (!handle.startsWith(RESERVED)) {
          add(Kind.HANDLE, "etcd", handle);
        }
      } else if (key.startsWith(ENDPOINTS)) {
        add(Kind.ENDPOINT, "etcd", key.substring(ENDPOINTS.length()));
      } else if (containers.stream().anyMatch(id -> key.contains(id) || value.contains(id))) {
        add(Kind.ETCD_KEY, "etcd", key);
      }
    }
  }

  /// Calico's block document: `allocations` holds indexes into `attributes`; one whose `releasedAt`
  /// is set is free and cooling down.
  private void block(String key, JsonNode block) {
    JsonNode allocations = block.path("allocations");
    for (int ordinal = 0; ordinal < allocations.size(); ordinal++) {
      JsonNode index = allocations.get(ordinal);
      if (!index.isNull()) {
        JsonNode attribute = block.path("attributes").path(index.asInt());
        String handle = attribute.path("handle_id").asText();
        boolean cooling =
            !attribute.path("releasedAt").isNull() && !attribute.path("releasedAt").isMissingNode();
        if (!handle.startsWith(RESERVED) && !cooling) {
          add(
              Kind.ADDRESS,
              "etcd",
              "ordinal "
                  + ordinal
                  + " of "
                  + key.substring(BLOCKS.length())
                  + ", handle "
                  + handle);
        }
      }
    }
  }

  private static String text(JsonNode base64) {
    return new String(Base64.getDecoder().decode(base64.asText()), StandardCharsets.UTF_8);
  }

  private void links(Node node, String namespace) throws LabException {
    for (JsonNode link :
        json("ip -j link", Command.of("ip", "-n", namespace, "-d", "-j", "link").output())) {
      String name = link.path("ifname").asText();
      String alias = link.path("ifalias").asText();
      boolean isPods = name.startsWith("cali") || alias.startsWith("margay:");
      if (isPods && !alias.equals(OverlayDriver.ALIAS)) {
        add(Kind.VETH, node.name(), name + (alias.isEmpty() ? "" : " (" + alias + ")"));
      }
    }
  }

  /// Blackholes and other nodes' blocks stay; what leads to a single pod does not.
  private void routes(Node node, String namespace, IpFamily family) throws LabException {
    String shown =
        Command.of(
                "ip",
                "-n",
                namespace,
                "-N",
                "-j",
                "-" + family.version(),
                "route",
                "show",
                "table",
                "all")
            .output();
    for (JsonNode route : json("ip -j route", shown.isBlank() ? "[]" : shown)) {
      String destination = route.path("dst").asText();
      boolean toPod = route.path("dev").asText().startsWith("cali");
      boolean ours = route.path("protocol").asText().equals(ROUTE_PROTOCOL);
      if (toPod && !linkLocal(destination) || ours && single(destination)) {
        add(Kind.ROUTE, node.name(), destination + " dev " + route.path("dev").asText("-"));
      }
    }
  }

  private static boolean linkLocal(String destination) {
    return destination.startsWith("fe80:") || destination.startsWith("ff00:");
  }

  private boolean single(String destination) {
    try {
      Prefix prefix = Prefix.parseLenient(destination);
      return prefix.isHost() && inPool(prefix);
    } catch (IllegalArgumentException notAnAddress) {
      return false;
    }
  }

  private boolean inPool(Prefix prefix) {
    return plan.topology().pools().stream().anyMatch(pool -> pool.cidr().contains(prefix));
  }

  /// What in our tables names a pod's interface or a single pod address.
  private void nftables(Node node, String namespace) throws LabException {
    JsonNode ruleset =
        json("nft -j", Command.in(namespace, "nft", "-j", "list", "ruleset").output());
    for (JsonNode entry : ruleset.path("nftables")) {
      for (String object : List.of("chain", "set", "map", "rule")) {
        JsonNode body = entry.path(object);
        if (TABLE.equals(body.path("table").asText())) {
          String place = body.path("family").asText() + " " + body.path("table").asText() + " ";
          switch (object) {
            case "chain" -> pods(body.path("name"), place + "chain", Kind.CHAIN, node);
            case "rule" ->
                pods(
                    body.path("expr"),
                    place + "rule in " + body.path("chain").asText(),
                    Kind.RULE,
                    node);
            default ->
                pods(
                    body.path("elem"),
                    place + object + " " + body.path("name").asText(),
                    Kind.SET_ELEMENT,
                    node);
          }
        }
      }
    }
  }

  private void pods(JsonNode json, String place, Kind kind, Node node) {
    Set<String> found = new HashSet<>();
    collect(json, found);
    found.forEach(what -> add(kind, node.name(), place + ": " + what));
  }

  /// nft prints a network as `{"prefix": {"addr", "len"}}` and a range as `{"range": […]}`: neither
  /// is a single pod's address.
  private void collect(JsonNode json, Set<String> found) {
    if (json.has("prefix") || json.has("range")) {
      return;
    }
    if (json.isTextual()) {
      String text = json.asText();
      if (POD_INTERFACE.matcher(text).find() || single(text)) {
        found.add(text);
      }
    }
    json.forEach(child -> collect(child, found));
  }

  /// Files below the node's state and run directories that name a deleted container, and deletions
  /// still waiting for an agent.
  private void files(Node node, Set<String> containers) throws LabException {
    Path queue = plan.runDirectory(node).resolve("delq");
    for (Path file : below(queue)) {
      if (!file.getFileName().toString().startsWith(".")) {
        add(Kind.QUEUED_DELETION, node.name(), file.toString());
      }
    }
    for (Path file : below(plan.stateDirectory(node))) {
      String name = file.getFileName().toString();
      String content = content(file);
      for (String id : containers) {
        if (name.contains(id) || content.contains(id)) {
          add(
              Kind.JOURNAL,
              node.name(),
              file + " names container " + id.substring(0, SHOWN_OF_CONTAINER));
        }
      }
    }
  }

  /// The agents go on working: what they delete meanwhile is left out.
  private static List<Path> below(Path directory) throws LabException {
    List<Path> found = new ArrayList<>();
    try {
      Files.walkFileTree(
          directory,
          Set.of(),
          JOURNAL_DEPTH,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
              if (attributes.isRegularFile()) {
                found.add(file);
              }
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException failed)
                throws IOException {
              if (failed instanceof NoSuchFileException) {
                return FileVisitResult.CONTINUE;
              }
              throw failed;
            }
          });
    } catch (IOException failed) {
      throw new LabException("can't read " + directory + ": " + failed, failed);
    }
    found.sort(null);
    return found;
  }

  /// What counts in a file: of those that are appended to, what they say in the end. One that is
  /// gone says nothing.
  static String content(Path file) throws LabException {
    try {
      if (file.endsWith(SNAPSHOT)) {
        return SnapshotFile.read(file).stream()
            .flatMap(snapshot -> snapshot.items().stream())
            .map(KeyValue::toString)
            .collect(Collectors.joining("\n"));
      }
      String content = Files.readString(file, StandardCharsets.ISO_8859_1);
      return file.endsWith(RESERVE) ? unsettled(content) : content;
    } catch (NoSuchFileException gone) {
      return "";
    } catch (IOException failed) {
      throw new LabException("can't read " + file + ": " + failed, failed);
    }
  }

  /// Records of the reserve whose handles the datastore has not been told of. A pod that came and
  /// went before anything of it was on its way there leaves nothing to tell.
  private static String unsettled(String records) {
    List<String> open = new ArrayList<>();
    for (String line : records.lines().toList()) {
      Matcher step = RESERVE_STEP.matcher(line);
      if (step.find() && (step.group(1).equals("settle") || !isOnItsWay(open, step.group(2)))) {
        open.removeIf(earlier -> earlier.contains(step.group(2)));
      } else {
        open.add(line);
      }
    }
    return String.join("\n", open);
  }

  private static boolean isOnItsWay(List<String> records, String handle) {
    return records.stream()
        .filter(record -> record.contains(handle))
        .anyMatch(record -> RESERVE_ON_ITS_WAY.matcher(record).find());
  }

  private void add(Kind kind, String where, String what) {
    leaks.add(new Leak(kind, where, what));
  }

  private static JsonNode json(String source, String text) throws LabException {
    try {
      return LabDocuments.JSON.readTree(text);
    } catch (JacksonException notJson) {
      throw new LabException(source + " is not JSON: " + notJson.getOriginalMessage(), notJson);
    }
  }
}
