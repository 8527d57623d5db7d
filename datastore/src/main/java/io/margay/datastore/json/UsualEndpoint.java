package io.margay.datastore.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.MacAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.EndpointPort;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.Protocol;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.model.resource.WorkloadEndpointSpec;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Reads a WorkloadEndpoint that is written as nearly all are: known fields, once each, of the
/// expected types. What is anything else is nobody's error here, but left to the general reader,
/// which says what is wrong or makes the same of it. An agent reads every endpoint of its cluster
/// at its start, and this way takes a third of the time and a fifth of the memory.
final class UsualEndpoint {

  private static final JsonFactory JSON = new JsonFactory();
  private static final RepeatedTexts REPEATED = new RepeatedTexts();

  private final JsonParser json;

  // Fields by the names they have in the document.
  private @Nullable String name;
  private @Nullable String namespace;
  private @Nullable String uid;
  private @Nullable Instant creationTimestamp;
  private @Nullable Map<String, String> labels;
  private @Nullable Map<String, String> annotations;
  private @Nullable String generateName;
  private boolean hasSpec;
  private @Nullable String orchestrator;
  private @Nullable String workload;
  private @Nullable String node;
  private @Nullable String containerID;
  private @Nullable String pod;
  private @Nullable String endpoint;
  private @Nullable String serviceAccountName;
  private @Nullable List<Prefix> ipNetworks;
  private @Nullable List<String> profiles;
  private @Nullable InterfaceName interfaceName;
  private @Nullable MacAddress mac;
  private @Nullable List<EndpointPort> ports;

  /// The document is not a usual one.
  private static final class UnusualException extends Exception {
    private static final long serialVersionUID = 1L;

    private UnusualException() {
      super("not a usual endpoint", null, false, false);
    }
  }

  private UsualEndpoint(JsonParser json) {
    this.json = json;
  }

  /// @param resourceVersion what becomes of the document's
  /// @return null: the general reader must look
  static @Nullable WorkloadEndpoint read(String document, String resourceVersion) {
    try (JsonParser json = JSON.createParser(document)) {
      UsualEndpoint reader = new UsualEndpoint(json);
      reader.readAll();
      return reader.made(resourceVersion);
    } catch (IOException | UnusualException | IllegalArgumentException unusual) {
      return null;
    }
  }

  private void readAll() throws IOException, UnusualException {
    require(json.nextToken(), JsonToken.START_OBJECT);
    boolean hasKind = false;
    boolean hasVersion = false;
    for (String field = json.nextFieldName(); field != null; field = json.nextFieldName()) {
      switch (field) {
        case "kind" -> {
          once(!hasKind);
          hasKind = true;
          text();
        }
        case "apiVersion" -> {
          once(!hasVersion);
          hasVersion = true;
          text();
        }
        case "metadata" -> metadata();
        case "spec" -> spec();
        default -> throw new UnusualException();
      }
    }
    require(json.currentToken(), JsonToken.END_OBJECT);
    once(json.nextToken() == null);
  }

  private void metadata() throws IOException, UnusualException {
    once(name == null);
    require(json.nextToken(), JsonToken.START_OBJECT);
    for (String field = json.nextFieldName(); field != null; field = json.nextFieldName()) {
      switch (field) {
        case "name" -> name = first(name, text());
        case "namespace" -> namespace = first(namespace, repeated());
        case "uid" -> uid = first(uid, text());
        case "generateName" -> generateName = first(generateName, repeated());
        case "creationTimestamp" -> creationTimestamp = first(creationTimestamp, time());
        case "labels" -> labels = first(labels, texts());
        case "annotations" -> annotations = first(annotations, texts());
        default -> throw new UnusualException();
      }
    }
    once(name != null);
  }

  private void spec() throws IOException, UnusualException {
    once(!hasSpec);
    hasSpec = true;
    require(json.nextToken(), JsonToken.START_OBJECT);
    for (String field = json.nextFieldName(); field != null; field = json.nextFieldName()) {
      switch (field) {
        case "orchestrator" -> orchestrator = first(orchestrator, repeated());
        case "workload" -> workload = first(workload, repeated());
        case "node" -> node = first(node, repeated());
        case "containerID" -> containerID = first(containerID, text());
        case "pod" -> pod = first(pod, text());
        case "endpoint" -> endpoint = first(endpoint, repeated());
        case "serviceAccountName" -> serviceAccountName = first(serviceAccountName, repeated());
        case "ipNetworks" -> ipNetworks = first(ipNetworks, networks());
        case "profiles" -> profiles = first(profiles, repeatedList());
        case "interfaceName" ->
            interfaceName = first(interfaceName, new InterfaceName(text().strip()));
        case "mac" -> mac = first(mac, MacAddress.parse(text().strip()));
        case "ports" -> ports = first(ports, ports());
        default -> throw new UnusualException();
      }
    }
  }

  private static void once(boolean holds) throws UnusualException {
    if (!holds) {
      throw new UnusualException();
    }
  }

  private static void require(@Nullable JsonToken found, JsonToken expected)
      throws UnusualException {
    once(found == expected);
  }

  private static <T> T first(@Nullable T before, T now) throws UnusualException {
    once(before == null);
    return now;
  }

  private String text() throws IOException, UnusualException {
    String text = json.nextTextValue();
    if (text == null) {
      throw new UnusualException();
    }
    return text;
  }

  /// One that other endpoints have as well.
  private String repeated() throws IOException, UnusualException {
    return REPEATED.one(text());
  }

  private Instant time() throws IOException, UnusualException {
    Instant time = UtcSeconds.parse(text().strip());
    if (time == null) {
      throw new UnusualException();
    }
    return time;
  }

  private Map<String, String> texts() throws IOException, UnusualException {
    require(json.nextToken(), JsonToken.START_OBJECT);
    Map<String, String> texts = new HashMap<>();
    for (String key = json.nextFieldName(); key != null; key = json.nextFieldName()) {
      once(texts.put(key, repeated()) == null);
    }
    return texts;
  }

  private List<String> list() throws IOException, UnusualException {
    require(json.nextToken(), JsonToken.START_ARRAY);
    List<String> list = new ArrayList<>();
    for (String text = json.nextTextValue(); text != null; text = json.nextTextValue()) {
      list.add(text);
    }
    require(json.currentToken(), JsonToken.END_ARRAY);
    return list;
  }

  private List<String> repeatedList() throws IOException, UnusualException {
    List<String> list = list();
    list.replaceAll(REPEATED::one);
    return list;
  }

  private List<Prefix> networks() throws IOException, UnusualException {
    List<Prefix> networks = new ArrayList<>();
    for (String text : list()) {
      networks.add(Prefix.parseLenient(text.strip()));
    }
    return networks;
  }

  private List<EndpointPort> ports() throws IOException, UnusualException {
    require(json.nextToken(), JsonToken.START_ARRAY);
    List<EndpointPort> all = new ArrayList<>();
    while (json.nextToken() == JsonToken.START_OBJECT) {
      all.add(port());
    }
    require(json.currentToken(), JsonToken.END_ARRAY);
    return all;
  }

  private EndpointPort port() throws IOException, UnusualException {
    String portName = null;
    Protocol protocol = null;
    Integer number = null;
    Integer hostPort = null;
    String hostIP = null;
    for (String field = json.nextFieldName(); field != null; field = json.nextFieldName()) {
      switch (field) {
        case "name" -> portName = first(portName, repeated());
        case "protocol" -> protocol = first(protocol, Protocol.parse(text().strip()));
        case "port" -> number = first(number, number());
        case "hostPort" -> hostPort = first(hostPort, number());
        case "hostIP" -> hostIP = first(hostIP, text());
        default -> throw new UnusualException();
      }
    }
    if (portName == null || protocol == null || number == null) {
      throw new UnusualException();
    }
    return new EndpointPort(portName, protocol, number, hostPort, hostIP, Map.of());
  }

  private Integer number() throws IOException, UnusualException {
    require(json.nextToken(), JsonToken.VALUE_NUMBER_INT);
    return json.getIntValue();
  }

  private WorkloadEndpoint made(String resourceVersion) throws UnusualException {
    if (name == null || !hasSpec) {
      throw new UnusualException();
    }
    WorkloadEndpointSpec empty = WorkloadEndpointSpec.EMPTY;
    return new WorkloadEndpoint(
        new Metadata(
            name,
            namespace,
            orNone(labels),
            orNone(annotations),
            uid,
            resourceVersion,
            creationTimestamp,
            null,
            List.of(),
            generateName == null ? Map.of() : Map.of("generateName", generateName)),
        new WorkloadEndpointSpec(
            orchestrator,
            workload,
            node,
            containerID,
            pod,
            endpoint,
            serviceAccountName,
            orNone(ipNetworks),
            empty.ipNATs(),
            null,
            null,
            orNone(profiles),
            interfaceName,
            mac,
            orNone(ports),
            empty.allowSpoofedSourcePrefixes(),
            empty.qosControls(),
            empty.unknown()));
  }

  private static <T> List<T> orNone(@Nullable List<T> list) {
    return list == null ? List.of() : list;
  }

  private static Map<String, String> orNone(@Nullable Map<String, String> map) {
    return map == null ? Map.of() : map;
  }
}
