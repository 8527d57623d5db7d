package io.margay.cni.spec;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.MacAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The request configuration of one plugin, as read from standard input.
///
/// @param version what the result must be written in
/// @param name of the network
/// @param mtu of the pod's interface in octets; 0 leaves it to the agent
/// @param ipam where addresses come from
/// @param requestedAddresses the very addresses wanted (`runtimeConfig.ips`, else `args.cni.ips`)
/// @param requestedMac the MAC address wanted for the pod's end (`runtimeConfig.mac`)
/// @param labels of the endpoint, where no orchestrator gives any (`args.cni.labels`)
/// @param podAnnotations of the pod, where the runtime hands them on
///   (`runtimeConfig."io.kubernetes.cri.pod-annotations"`)
/// @param portMappings ports of the node that lead to the pod (`runtimeConfig.portMappings`)
/// @param bandwidth limits of the pod's traffic (`runtimeConfig.bandwidth`)
/// @param aliases further names of the container in this network (`runtimeConfig.aliases`)
/// @param dns what the answer says of the pod's resolver (`dns`, else `runtimeConfig.dns`)
/// @param isRouter whether pods forward packets of others (Calico's
///   `container_settings.allow_ip_forwarding`, by default false)
/// @param hasDefaultRoute whether pods get a default route (Calico's `include_default_routes`, by
///   default true)
/// @param isGcDisabled whether GC is to delete nothing (`disableGC`)
/// @param prevResult what ADD answered, or the plugin before us in the chain
/// @param prevResultAsSent the same, word for word
/// @param validAttachments what GC must keep; empty when the caller gave no list, which forbids
///   deleting anything
/// @param unknownKeys keys nobody reads, for a warning
public record NetConf(
    CniVersion version,
    String name,
    int mtu,
    IpamConf ipam,
    List<IpAddress> requestedAddresses,
    Optional<MacAddress> requestedMac,
    Map<String, String> labels,
    Map<String, String> podAnnotations,
    List<PortMapping> portMappings,
    Optional<Bandwidth> bandwidth,
    List<String> aliases,
    Dns dns,
    boolean isRouter,
    boolean hasDefaultRoute,
    boolean isGcDisabled,
    Optional<CniResult> prevResult,
    Optional<ObjectNode> prevResultAsSent,
    Optional<Set<AttachmentId>> validAttachments,
    List<String> unknownKeys) {

  /// The smallest MTU IPv6 allows (RFC 8200, section 5) and the largest a veth takes.
  static final int MIN_MTU = 1280;

  static final int MAX_MTU = 65_535;

  /// How containerd and CRI-O hand on a pod's annotations.
  private static final String POD_ANNOTATIONS = "io.kubernetes.cri.pod-annotations";

  /// The keys of `runtimeConfig` that a conflist declares as `capabilities`: what is not declared,
  /// runtimes do not send. `ipRanges` is read as well, for who asks for it: cri-dockerd sends the
  /// node's podCIDR there unasked, which is seldom an IPPool.
  public static final List<String> CAPABILITIES =
      List.of("portMappings", "bandwidth", "ips", "mac", "aliases", "dns", POD_ANNOTATIONS);

  /// Keys with a meaning to us, to the runtime, or to Calico's plugin, whose configurations must
  /// apply unchanged. Lower case, since case does not matter.
  private static final Set<String> KNOWN_KEYS =
      Set.of(
          "cniversion",
          "cniversions",
          "ingressrate",
          "ingressburst",
          "egressrate",
          "egressburst",
          "name",
          "type",
          "capabilities",
          "runtimeconfig",
          "args",
          "prevresult",
          "ipam",
          "dns",
          "ipmasq",
          "mtu",
          "strict",
          "margayrundir",
          "disablecheck",
          "disablegc",
          "num_queues",
          "nodename",
          "nodename_file",
          "nodename_file_optional",
          "datastore_type",
          "etcd_endpoints",
          "etcd_discovery_srv",
          "etcd_key_file",
          "etcd_cert_file",
          "etcd_ca_cert_file",
          "log_level",
          "log_file_path",
          "log_file_max_size",
          "log_file_max_age",
          "log_file_max_count",
          "policy",
          "kubernetes",
          "feature_control",
          "container_settings",
          "include_default_routes",
          "readiness_gates",
          "policy_setup_timeout_seconds",
          "endpoint_status_dir",
          "require_mtu_file",
          "ipam_lock_file");

  public NetConf {
    requestedAddresses = List.copyOf(requestedAddresses);
    labels = Map.copyOf(labels);
    podAnnotations = Map.copyOf(podAnnotations);
    portMappings = List.copyOf(portMappings);
    aliases = List.copyOf(aliases);
    validAttachments = validAttachments.map(Set::copyOf);
    unknownKeys = List.copyOf(unknownKeys);
  }

  /// The version to write an answer in: the one asked for if we know it, else the newest. Never
  /// fails.
  public static CniVersion answerVersion(ObjectNode object) {
    JsonNode text = new ConfNode(object, "").get("cniVersion").orElse(null);
    if (text == null || text.asText().isEmpty()) {
      return CniVersion.WHEN_ABSENT;
    }
    return CniVersion.find(text.asText()).orElse(CniVersion.NEWEST);
  }

  /// Checks in the order runtimes expect: name (7), version (1), the rest (7, and 2 for unknown
  /// keys under `strict`).
  public static NetConf parse(ObjectNode object) throws CniException {
    ConfNode conf = new ConfNode(object, "");
    String name = name(conf);
    CniVersion version = version(conf);
    ConfNode runtime = conf.object("runtimeConfig");
    ConfNode args = conf.object("args").object("cni");
    List<IpAddress> addresses = runtime.addresses("ips");
    Optional<JsonNode> prevResult = conf.get("prevResult");
    return new NetConf(
        version,
        name,
        mtu(conf),
        IpamConf.read(conf.object("ipam"), runtime),
        addresses.isEmpty() ? args.addresses("ips") : addresses,
        mac(runtime),
        labels(args, mesos(conf)),
        podAnnotations(runtime),
        PortMapping.parse(runtime, mesos(conf)),
        Bandwidth.parse(conf),
        aliases(runtime, name),
        Dns.read(conf.object("dns")).or(Dns.readCapability(runtime.object("dns"))),
        conf.object("container_settings").bool("allow_ip_forwarding", false),
        conf.bool("include_default_routes", true),
        conf.bool("disableGC", false),
        prevResult.isEmpty()
            ? Optional.empty()
            : Optional.of(ResultJson.read(conf.object("prevResult"), version)),
        prevResult.map(ObjectNode.class::cast),
        validAttachments(conf),
        unknownKeys(conf));
  }

  /// What DEL needs: name and version are checked as by [#parse], and of the rest only `ipam.type`
  /// is read. A pod must go whatever its configuration says by now.
  public static NetConf parseForDel(ObjectNode object) throws CniException {
    ConfNode conf = new ConfNode(object, "");
    String name = name(conf);
    return new NetConf(
        version(conf),
        name,
        0,
        IpamConf.readForDel(conf),
        List.of(),
        Optional.empty(),
        Map.of(),
        Map.of(),
        List.of(),
        Optional.empty(),
        List.of(),
        Dns.NONE,
        false,
        true,
        false,
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        List.of());
  }

  private static String name(ConfNode conf) throws CniException {
    String name = conf.string("name").orElse("");
    if (!Identifiers.isIdentifier(name)) {
      throw new CniException(
          CniError.BAD_CONFIG,
          "key name: \""
              + name
              + "\" found, a network name of letters, digits, \"_\", \".\" and \"-\" expected");
    }
    return name;
  }

  /// The previous result as a plugin that adds nothing to it answers: word for word, in the
  /// configuration's version.
  public ObjectNode passedOn() throws CniException {
    ObjectNode sent = prevResultAsSent.orElseThrow();
    String written = new ConfNode(sent, "prevResult").string("cniVersion").orElse("");
    if (!written.isEmpty() && !written.equals(version.text())) {
      return prevResult.orElseThrow().toJson(version);
    }
    ObjectNode answer = CniJson.newObject().put("cniVersion", version.text());
    sent.properties().stream()
        .filter(field -> !field.getKey().equalsIgnoreCase("cniVersion"))
        .forEach(field -> answer.set(field.getKey(), field.getValue()));
    return answer;
  }

  /// What another plugin answered to the configuration `asked`.
  public static CniResult resultOf(ObjectNode answer, ObjectNode asked) throws CniException {
    return ResultJson.read(new ConfNode(answer, "result"), answerVersion(asked));
  }

  private static int mtu(ConfNode conf) throws CniException {
    int mtu = conf.integer("mtu", 0, 0, MAX_MTU);
    if (mtu != 0 && mtu < MIN_MTU) {
      throw conf.wrong("mtu", conf.get("mtu").orElseThrow(), "0, or " + MIN_MTU + " to " + MAX_MTU);
    }
    return mtu;
  }

  private static CniVersion version(ConfNode conf) throws CniException {
    String text = conf.string("cniVersion").orElse("");
    if (text.isEmpty()) {
      return CniVersion.WHEN_ABSENT;
    }
    Optional<CniVersion> version = CniVersion.find(text);
    if (version.isEmpty()) {
      throw new CniException(
          new CniError(
              CniError.INCOMPATIBLE_VERSION,
              "cniVersion \"" + text + "\" is not supported",
              "supported: " + String.join(", ", CniVersion.texts())));
    }
    return version.get();
  }

  /// The MAC address of `runtimeConfig.mac`, of `CNI_ARGS` or of an annotation.
  public static MacAddress mac(String where, String text) throws CniException {
    try {
      MacAddress mac = MacAddress.parse(text.toLowerCase(Locale.ROOT));
      if ((mac.value() >>> 40 & 1) == 0 && mac.value() != 0) {
        return mac;
      }
    } catch (IllegalArgumentException notAMac) {
      // Falls through to the one message for every text that is no unicast MAC address.
    }
    throw new CniException(
        CniError.BAD_CONFIG, where + ": \"" + text + "\" is not a unicast MAC address");
  }

  private static Optional<MacAddress> mac(ConfNode runtime) throws CniException {
    String text = runtime.string("mac").orElse("");
    return text.isEmpty() ? Optional.empty() : Optional.of(mac("key runtimeConfig.mac", text));
  }

  /// What Mesos tells of a container's network; it knows neither `CNI_ARGS` nor `runtimeConfig`.
  private static ConfNode mesos(ConfNode conf) throws CniException {
    return conf.object("args").object("org.apache.mesos").object("network_info");
  }

  /// `args.cni.labels`: `[{"key":…,"value":…}]` (CNI conventions, "Dynamic plugin specific
  /// fields"), over those of Mesos, which are written alike.
  private static Map<String, String> labels(ConfNode args, ConfNode mesos) throws CniException {
    Map<String, String> labels = new LinkedHashMap<>();
    readLabels(mesos.object("labels"), labels);
    readLabels(args, labels);
    return labels;
  }

  private static void readLabels(ConfNode node, Map<String, String> labels) throws CniException {
    for (ConfNode label : node.objects("labels")) {
      String key = label.string("key").orElse("");
      if (key.isEmpty()) {
        throw new CniException(
            CniError.BAD_CONFIG, "key " + node.path("labels") + ": every label needs a key");
      }
      labels.put(key, label.string("value").orElse(""));
    }
  }

  /// Keys are annotations' names, so that case matters. A value that is no text can't be an
  /// annotation's and says nothing.
  private static Map<String, String> podAnnotations(ConfNode runtime) throws CniException {
    Map<String, String> annotations = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> field : runtime.object(POD_ANNOTATIONS).fields()) {
      if (field.getValue().isTextual()) {
        annotations.put(field.getKey(), field.getValue().asText());
      }
    }
    return annotations;
  }

  /// A list of names, or podman's object of such lists by network.
  private static List<String> aliases(ConfNode runtime, String network) throws CniException {
    return runtime.get("aliases").filter(JsonNode::isObject).isPresent()
        ? runtime.object("aliases").strings(network)
        : runtime.strings("aliases");
  }

  /// `cni.dev/valid-attachments`, or the name an early text of the specification gave it. Present
  /// and `null` is how a Go runtime writes an empty list, and means that nothing is valid.
  private static Optional<Set<AttachmentId>> validAttachments(ConfNode conf) throws CniException {
    String key =
        conf.has("cni.dev/valid-attachments") ? "cni.dev/valid-attachments" : "cni.dev/attachments";
    if (!conf.has(key)) {
      return Optional.empty();
    }
    Set<AttachmentId> valid = new LinkedHashSet<>();
    for (ConfNode attachment : conf.objects(key)) {
      try {
        valid.add(
            new AttachmentId(
                attachment.string("containerID").orElse(""),
                new InterfaceName(attachment.string("ifname").orElse(""))));
      } catch (IllegalArgumentException invalid) {
        throw new CniException(
            CniError.BAD_CONFIG, "key " + key + ": " + invalid.getMessage(), invalid);
      }
    }
    return Optional.of(valid);
  }

  private static List<String> unknownKeys(ConfNode conf) throws CniException {
    boolean strict = conf.bool("strict", false);
    List<String> unknown = new ArrayList<>();
    for (Map.Entry<String, JsonNode> field : conf.fields()) {
      String key = field.getKey().toLowerCase(Locale.ROOT);
      if (KNOWN_KEYS.contains(key) || key.startsWith("cni.dev/")) {
        continue;
      }
      if (strict) {
        throw new CniException(
            CniError.UNSUPPORTED_FIELD,
            "key "
                + field.getKey()
                + ": "
                + field.getValue()
                + " found, but no such key is known; remove it or \"strict\"");
      }
      unknown.add(field.getKey());
    }
    return unknown;
  }
}
