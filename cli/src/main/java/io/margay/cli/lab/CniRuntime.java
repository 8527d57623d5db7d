package io.margay.cli.lab;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.cli.lab.Topology.Node;
import io.margay.cli.lab.Topology.Pod;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Calls the CNI plugin for the pods of a lab as containerd does: the plugin executed inside the
/// node's namespace, `CNI_*` in its environment, the request on its stdin (CNI spec 1.0 section 4).
/// The result of an ADD is kept, to be handed back at DEL.
public final class CniRuntime {

  private static final String INTERFACE = "eth0";

  /// The shell of the namespace takes the time around the plugin alone: starting `ip` and the shell
  /// is not the plugin's cost.
  private static final String TIMED =
      "t0=$EPOCHREALTIME; \"$0\"; rc=$?; t1=$EPOCHREALTIME;"
          + " printf '\\nplugin-time %s %s %s\\n' \"$rc\" \"$t0\" \"$t1\" >&2";

  private static final Pattern TIME =
      Pattern.compile("\\nplugin-time (\\d+) (\\d+)\\.(\\d{6}) (\\d+)\\.(\\d{6})\\n$");

  private final LabPlan plan;
  private final Distribution distribution;

  public CniRuntime(LabPlan plan, Distribution distribution) {
    this.plan = plan;
    this.distribution = distribution;
  }

  /// A call that succeeded.
  ///
  /// @param took from executing the plugin to its exit
  public record Call(JsonNode result, Duration took) {}

  /// Wires a pod.
  public Call add(Pod pod) throws LabException {
    ObjectNode request = request(pod);
    Call call = call("ADD", pod, request);
    ObjectNode record = LabDocuments.JSON.createObjectNode();
    record.put("containerId", containerId(pod));
    record.set("request", request);
    record.set("result", call.result());
    try {
      Files.createDirectories(record(pod).getParent());
      Files.writeString(record(pod), LabDocuments.pretty(record));
    } catch (IOException failed) {
      throw new LabException("can't write " + record(pod) + ": " + failed, failed);
    }
    return call;
  }

  /// Unwires a pod; the record of its ADD goes too.
  public Call delete(Pod pod) throws LabException {
    ObjectNode request = request(pod);
    Optional<JsonNode> earlier = recorded(pod);
    earlier.ifPresent(record -> request.set("prevResult", record.get("result")));
    Call call = call("DEL", pod, request);
    try {
      Files.deleteIfExists(record(pod));
    } catch (IOException failed) {
      throw new LabException("can't remove " + record(pod) + ": " + failed, failed);
    }
    return call;
  }

  /// The address the pod's ADD returned.
  public Optional<IpAddress> address(Pod pod, IpFamily family) throws LabException {
    Optional<JsonNode> record = recorded(pod);
    if (record.isEmpty()) {
      return Optional.empty();
    }
    for (JsonNode ip : record.get().path("result").path("ips")) {
      String text = ip.path("address").asText();
      IpAddress address = IpAddress.parse(text.substring(0, text.indexOf('/')));
      if (address.family() == family) {
        return Optional.of(address);
      }
    }
    return Optional.empty();
  }

  /// The names and addresses by which a wired pod is known to the kernel, etcd and files.
  public Set<String> marks(Pod pod) throws LabException {
    Set<String> marks = new LinkedHashSet<>();
    String container = containerId(pod);
    marks.add(container);
    marks.add(container.substring(0, LeakChecker.SHOWN_OF_CONTAINER));
    marks.add("-k8s-" + pod.name().replace("-", "--") + "-eth0");
    for (IpFamily family : IpFamily.values()) {
      address(pod, family).map(IpAddress::toString).ifPresent(marks::add);
    }
    recorded(pod)
        .map(record -> record.path("result").path("interfaces").path(0).path("name").asText(""))
        .filter(name -> !name.isEmpty())
        .ifPresent(marks::add);
    return marks;
  }

  /// What a runtime would call the pod's sandbox: 64 hex digits, the same for the same lab and pod.
  String containerId(Pod pod) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256")
              .digest(
                  (plan.name() + "/" + pod.namespace() + "/" + pod.name())
                      .getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest);
    } catch (NoSuchAlgorithmException everyPlatformHasIt) {
      throw new IllegalStateException(everyPlatformHasIt);
    }
  }

  private ObjectNode request(Pod pod) throws LabException {
    Node node = node(pod);
    try {
      ObjectNode base = (ObjectNode) LabDocuments.JSON.readTree(plan.request(node).toFile());
      return LabDocuments.request(base, pod);
    } catch (IOException unreadable) {
      throw new LabException("can't read " + plan.request(node) + ": " + unreadable, unreadable);
    }
  }

  private Call call(String verb, Pod pod, ObjectNode request) throws LabException {
    String id = containerId(pod);
    String plugin = distribution.cni().toString();
    Command.Result run =
        Command.in(plan.machineNamespace(pod.node()), "bash", "-c", TIMED, plugin)
            .with(
                Map.of(
                    "CNI_COMMAND",
                    verb,
                    "CNI_CONTAINERID",
                    id,
                    "CNI_NETNS",
                    Namespaces.path(plan.podNamespace(pod)).toString(),
                    "CNI_IFNAME",
                    INTERFACE,
                    "CNI_PATH",
                    distribution.cni().getParent() + ":/usr/lib/cni",
                    "CNI_ARGS",
                    "IgnoreUnknown=1;K8S_POD_NAMESPACE="
                        + pod.namespace()
                        + ";K8S_POD_NAME="
                        + pod.name()
                        + ";K8S_POD_INFRA_CONTAINER_ID="
                        + id
                        + ";K8S_POD_UID="
                        + id.substring(0, 8),
                    "LC_ALL",
                    "C"))
            .reading(LabDocuments.text(request))
            .run();
    Matcher time = TIME.matcher(run.err());
    if (!time.find()) {
      throw new LabException(
          verb
              + " of pod "
              + pod.name()
              + ": "
              + plugin
              + " could not be run: "
              + run.err().strip());
    }
    if (!time.group(1).equals("0")) {
      throw new LabException(
          verb
              + " of pod "
              + pod.name()
              + " failed with status "
              + time.group(1)
              + ": "
              + run.out().strip()
              + run.err().substring(0, time.start()).strip());
    }
    long micros =
        (Long.parseLong(time.group(4)) - Long.parseLong(time.group(2))) * 1_000_000
            + Long.parseLong(time.group(5))
            - Long.parseLong(time.group(3));
    try {
      JsonNode result =
          run.out().isBlank()
              ? LabDocuments.JSON.createObjectNode()
              : LabDocuments.JSON.readTree(run.out());
      return new Call(result, Duration.ofNanos(micros * 1000));
    } catch (JacksonException notJson) {
      throw new LabException(
          verb + " of pod " + pod.name() + ": the result is not JSON: " + run.out(), notJson);
    }
  }

  private Optional<JsonNode> recorded(Pod pod) throws LabException {
    Path file = record(pod);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try {
      return Optional.of(LabDocuments.JSON.readTree(file.toFile()));
    } catch (IOException unreadable) {
      throw new LabException("can't read " + file + ": " + unreadable, unreadable);
    }
  }

  private Path record(Pod pod) {
    return plan.home().resolve("pods").resolve(pod.name() + ".json");
  }

  private Node node(Pod pod) {
    return plan.topology().nodes().stream()
        .filter(node -> node.name().equals(pod.node()))
        .findFirst()
        .orElseThrow();
  }
}
