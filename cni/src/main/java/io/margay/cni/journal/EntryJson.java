package io.margay.cni.journal;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.Bandwidth;
import io.margay.cni.spec.CniException;
import io.margay.cni.spec.Dns;
import io.margay.cni.spec.PortMapping;
import io.margay.linux.netns.Netns;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.MacAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Protocol;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Journal entries ⇄ JSON. A document that lacks anything is refused as a whole: half an entry is
/// worse than none. Host ports and bandwidth are there only where a pod has any.
final class EntryJson {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private EntryJson() {}

  static byte[] write(JournalEntry entry) throws IOException {
    Attachment attachment = entry.attachment();
    ObjectNode node = MAPPER.createObjectNode();
    node.put("containerID", attachment.id().containerId());
    node.put("ifname", attachment.id().ifName().value());
    node.put("network", attachment.network());
    switch (attachment.workload()) {
      case Workload.Pod pod ->
          node.putObject("pod").put("namespace", pod.namespace()).put("name", pod.name());
      case Workload.Container _ -> {}
      case Workload.Endpoint endpoint ->
          node.putObject("endpoint").put("id", endpoint.id()).put("profile", endpoint.profile());
    }
    node.putObject("netns")
        .put("device", attachment.netns().device())
        .put("inode", attachment.netns().inode())
        .put("path", attachment.netnsPath());
    node.put("hostEnd", attachment.hostEnd().value());
    node.put("mac", attachment.podMac().toString());
    node.put("mtu", attachment.mtu());
    ObjectNode labels = node.putObject("labels");
    attachment.labels().forEach(labels::put);
    if (!attachment.hostPorts().isEmpty()) {
      ArrayNode ports = node.putArray("hostPorts");
      for (PortMapping port : attachment.hostPorts()) {
        ObjectNode item =
            ports
                .addObject()
                .put("hostPort", port.hostPort())
                .put("containerPort", port.containerPort())
                .put("protocol", port.protocol().toString());
        port.hostIp().ifPresent(address -> item.put("hostIP", address.toString()));
      }
    }
    attachment
        .bandwidth()
        .ifPresent(
            bandwidth ->
                node.putObject("bandwidth")
                    .put("ingressRate", bandwidth.ingressRate())
                    .put("ingressBurst", bandwidth.ingressBurst())
                    .put("egressRate", bandwidth.egressRate())
                    .put("egressBurst", bandwidth.egressBurst()));
    writeUnusual(attachment, node);
    node.put("bootID", entry.bootId());
    switch (entry) {
      case JournalEntry.Prepared _ -> node.put("state", "prepared");
      case JournalEntry.Committed committed -> {
        node.put("state", "committed");
        ArrayNode addresses = node.putArray("addresses");
        committed.addresses().forEach(address -> addresses.add(address.toString()));
      }
      case JournalEntry.Releasing _ -> node.put("state", "releasing");
    }
    return MAPPER.writeValueAsBytes(node);
  }

  static JournalEntry read(byte[] octets) throws IOException {
    JsonNode node = MAPPER.readTree(octets);
    try {
      String containerId = text(node, "containerID");
      JsonNode netns = required(node, "netns");
      Attachment attachment =
          new Attachment(
              new AttachmentId(containerId, new InterfaceName(text(node, "ifname"))),
              text(node, "network"),
              workload(node, containerId),
              new Netns.NetnsId(
                  required(netns, "device").asLong(), required(netns, "inode").asLong()),
              text(netns, "path"),
              new InterfaceName(text(node, "hostEnd")),
              MacAddress.parse(text(node, "mac")),
              required(node, "mtu").asInt(),
              texts(required(node, "labels")),
              hostPorts(node.path("hostPorts")),
              bandwidth(node),
              node.has("annotations") ? texts(node.get("annotations")) : Map.of(),
              node.has("routes") ? routes(node.get("routes")) : PodRoutes.USUAL,
              node.has("duty") ? duty(node.get("duty")) : new Duty.Whole());
      String bootId = text(node, "bootID");
      String state = text(node, "state");
      return switch (state) {
        case "prepared" -> new JournalEntry.Prepared(attachment, bootId);
        case "committed" ->
            new JournalEntry.Committed(attachment, bootId, addresses(required(node, "addresses")));
        case "releasing" -> new JournalEntry.Releasing(attachment, bootId);
        default -> throw new IOException("state \"" + state + "\" is unknown");
      };
    } catch (IllegalArgumentException invalid) {
      throw new IOException(invalid.getMessage(), invalid);
    }
  }

  private static Workload workload(JsonNode node, String containerId) throws IOException {
    if (node.has("pod")) {
      return new Workload.Pod(text(node.get("pod"), "namespace"), text(node.get("pod"), "name"));
    }
    return node.has("endpoint")
        ? new Workload.Endpoint(
            text(node.get("endpoint"), "id"), text(node.get("endpoint"), "profile"))
        : new Workload.Container(containerId);
  }

  /// What most attachments do not have is left out.
  private static void writeUnusual(Attachment attachment, ObjectNode node) {
    if (!attachment.annotations().isEmpty()) {
      ObjectNode annotations = node.putObject("annotations");
      attachment.annotations().forEach(annotations::put);
    }
    if (!attachment.routes().equals(PodRoutes.USUAL)) {
      write(attachment.routes(), node.putObject("routes"));
    }
    if (!(attachment.duty() instanceof Duty.Whole)) {
      write(attachment.duty(), node.putObject("duty"));
    }
  }

  private static void write(PodRoutes routes, ObjectNode node) {
    ObjectNode gateways = node.putObject("gateways");
    routes
        .gateways()
        .forEach((address, gateway) -> gateways.put(address.toString(), gateway.toString()));
    node.put("default", routes.hasDefault());
    ArrayNode further = node.putArray("further");
    routes.further().forEach(prefix -> further.add(prefix.toString()));
    node.put("router", routes.isRouter());
    if (!routes.sources().isEmpty()) {
      ArrayNode sources = node.putArray("sources");
      routes.sources().forEach(prefix -> sources.add(prefix.toString()));
    }
  }

  private static PodRoutes routes(JsonNode node) throws IOException {
    Map<IpAddress, IpAddress> gateways = new HashMap<>();
    texts(required(node, "gateways"))
        .forEach(
            (address, gateway) -> gateways.put(IpAddress.parse(address), IpAddress.parse(gateway)));
    List<Prefix> further = new ArrayList<>();
    required(node, "further").forEach(prefix -> further.add(Prefix.parse(prefix.asText())));
    List<Prefix> sources = new ArrayList<>();
    node.path("sources").forEach(prefix -> sources.add(Prefix.parse(prefix.asText())));
    return new PodRoutes(
        gateways,
        required(node, "default").asBoolean(),
        further,
        required(node, "router").asBoolean(),
        sources);
  }

  private static void write(Duty duty, ObjectNode node) {
    switch (duty) {
      case Duty.Whole _ -> node.put("kind", "whole");
      case Duty.Delegated(Duty.Delegate delegate, Dns dns) -> {
        node.put("kind", "delegated")
            .put("type", delegate.type())
            .put("path", delegate.path())
            .put("args", delegate.args())
            .put("conf", delegate.conf());
        if (!dns.equals(Dns.NONE)) {
          dns.write(node.putObject("dns"));
        }
      }
      case Duty.Addresses _ -> node.put("kind", "addresses");
      case Duty.Policed(boolean overAddresses) ->
          node.put("kind", "policed").put("overAddresses", overAddresses);
      case Duty.Stepwise(Duty.Step step) ->
          node.put("kind", "stepwise").put("step", step.name().toLowerCase(Locale.ROOT));
    }
  }

  private static Duty duty(JsonNode node) throws IOException {
    String kind = text(node, "kind");
    return switch (kind) {
      case "whole" -> new Duty.Whole();
      case "delegated" ->
          new Duty.Delegated(
              new Duty.Delegate(
                  text(node, "type"), text(node, "path"), text(node, "args"), text(node, "conf")),
              dns(node));
      case "addresses" -> new Duty.Addresses();
      case "policed" -> new Duty.Policed(required(node, "overAddresses").asBoolean());
      case "stepwise" ->
          new Duty.Stepwise(Duty.Step.valueOf(text(node, "step").toUpperCase(Locale.ROOT)));
      default -> throw new IOException("duty \"" + kind + "\" is unknown");
    };
  }

  private static Dns dns(JsonNode duty) throws IOException {
    try {
      return duty.path("dns") instanceof ObjectNode dns ? Dns.of(dns) : Dns.NONE;
    } catch (CniException invalid) {
      throw new IOException(invalid.getMessage(), invalid);
    }
  }

  private static Map<String, String> texts(JsonNode node) {
    Map<String, String> texts = new HashMap<>();
    for (Map.Entry<String, JsonNode> field : node.properties()) {
      texts.put(field.getKey(), field.getValue().asText());
    }
    return texts;
  }

  private static List<PortMapping> hostPorts(JsonNode list) throws IOException {
    List<PortMapping> ports = new ArrayList<>();
    for (JsonNode item : list) {
      ports.add(
          new PortMapping(
              required(item, "hostPort").asInt(),
              required(item, "containerPort").asInt(),
              Protocol.parse(text(item, "protocol")),
              item.has("hostIP")
                  ? Optional.of(IpAddress.parse(text(item, "hostIP")))
                  : Optional.empty()));
    }
    return ports;
  }

  private static Optional<Bandwidth> bandwidth(JsonNode node) throws IOException {
    if (!node.has("bandwidth")) {
      return Optional.empty();
    }
    JsonNode bandwidth = required(node, "bandwidth");
    return Optional.of(
        new Bandwidth(
            required(bandwidth, "ingressRate").asLong(),
            required(bandwidth, "ingressBurst").asLong(),
            required(bandwidth, "egressRate").asLong(),
            required(bandwidth, "egressBurst").asLong()));
  }

  private static List<IpAddress> addresses(JsonNode node) {
    List<IpAddress> addresses = new ArrayList<>();
    node.forEach(address -> addresses.add(IpAddress.parse(address.asText())));
    return addresses;
  }

  private static String text(JsonNode node, String key) throws IOException {
    return required(node, key).asText();
  }

  private static JsonNode required(JsonNode node, String key) throws IOException {
    JsonNode found = node == null ? null : node.get(key);
    if (found == null || found.isNull()) {
      throw new IOException("key " + key + " is missing");
    }
    return found;
  }
}
