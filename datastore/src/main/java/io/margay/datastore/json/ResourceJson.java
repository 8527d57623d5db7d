package io.margay.datastore.json;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.margay.model.resource.BGPConfiguration;
import io.margay.model.resource.BGPFilter;
import io.margay.model.resource.BGPPeer;
import io.margay.model.resource.BlockAffinity;
import io.margay.model.resource.CalicoNodeStatus;
import io.margay.model.resource.ClusterInformation;
import io.margay.model.resource.EndpointSlice;
import io.margay.model.resource.FelixConfiguration;
import io.margay.model.resource.FieldError;
import io.margay.model.resource.GlobalNetworkPolicy;
import io.margay.model.resource.GlobalNetworkSet;
import io.margay.model.resource.HostEndpoint;
import io.margay.model.resource.IPAMConfiguration;
import io.margay.model.resource.IPPool;
import io.margay.model.resource.IPReservation;
import io.margay.model.resource.Kind;
import io.margay.model.resource.KubeControllersConfiguration;
import io.margay.model.resource.LiveMigration;
import io.margay.model.resource.NetworkPolicy;
import io.margay.model.resource.NetworkSet;
import io.margay.model.resource.Node;
import io.margay.model.resource.Profile;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import io.margay.model.resource.StagedGlobalNetworkPolicy;
import io.margay.model.resource.StagedKubernetesNetworkPolicy;
import io.margay.model.resource.StagedNetworkPolicy;
import io.margay.model.resource.Tier;
import io.margay.model.resource.WorkloadEndpoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// Resources as JSON and YAML, with Calico's field names. What a document says beyond the known
/// fields survives the way through; what it says wrongly is reported by field.
public final class ResourceJson {

  static final JsonMapper JSON =
      JsonMapper.builder()
          .addModule(new LeafModule())
          .addHandler(new Problems())
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          // Fields are the records' components; isX() are answers, not fields.
          .disable(MapperFeature.AUTO_DETECT_IS_GETTERS)
          .disable(SerializationFeature.FAIL_ON_EMPTY_BEANS)
          // A label's empty value is a value: only whole fields are left out when empty.
          .defaultPropertyInclusion(
              JsonInclude.Value.construct(
                  JsonInclude.Include.NON_EMPTY, JsonInclude.Include.ALWAYS))
          .withConfigOverride(
              List.class, list -> list.setSetterInfo(JsonSetter.Value.forContentNulls(Nulls.FAIL)))
          .build();

  /// One a type: to make a reader means to look its deserializer up.
  private static final Map<Class<?>, ObjectReader> READERS = new ConcurrentHashMap<>();

  /// Byte for byte what Calico's client makes of the same document.
  private static final ObjectWriter AS_GO = JSON.writer().with(new GoEscapes());

  private static final YAMLMapper YAML =
      YAMLMapper.builder(
              YAMLFactory.builder()
                  .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
                  .disable(YAMLGenerator.Feature.SPLIT_LINES)
                  .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
                  .enable(YAMLGenerator.Feature.ALWAYS_QUOTE_NUMBERS_AS_STRINGS)
                  .build())
          .build();

  private ResourceJson() {}

  /// Makes what reads documents of these kinds, which otherwise the first of each waits for.
  public static void prepare(Kind... kinds) {
    for (Kind kind : kinds) {
      read("{}", kind, new ErrorSink());
    }
  }

  /// Reads what is stored under a resource's key.
  ///
  /// @param modRevision the key's revision, which becomes the resourceVersion
  /// @return empty if the key is not a resource's
  public static Optional<Decoded> decode(String key, String value, long modRevision) {
    return ResourceKeys.parseKey(key).map(ref -> decode(ref, value, modRevision));
  }

  private static Decoded decode(ResourceRef ref, String value, long modRevision) {
    ErrorSink errors = new ErrorSink();
    Resource resource = read(ref.kind(), value, Long.toString(modRevision), errors);
    if (resource == null) {
      return new Decoded.Invalid(ref, errors.found(), readable(ref, value));
    }
    List<FieldError> found = new ArrayList<>(StagedKubernetesRules.validate(resource));
    if (found.isEmpty() && !resource.ref().equals(ref)) {
      found.add(new FieldError("metadata", "is of " + resource.ref() + ", stored as " + ref));
    }
    return found.isEmpty()
        ? new Decoded.Valid(resource)
        : new Decoded.Invalid(ref, found, readable(ref, value));
  }

  private static Optional<Resource> readable(ResourceRef ref, String value) {
    return UnreadablePolicy.withoutRules(ref, value)
        .or(() -> UnreadableSet.withReadableNets(ref, value));
  }

  /// Reads a document with the resourceVersion it shall have; null after noting why not.
  private static @Nullable Resource read(
      Kind kind, String value, String resourceVersion, ErrorSink errors) {
    WorkloadEndpoint usual =
        kind == Kind.WORKLOAD_ENDPOINT ? UsualEndpoint.read(value, resourceVersion) : null;
    if (usual != null) {
      return usual;
    }
    Resource resource = read(value, kind, errors);
    return resource == null
        ? null
        : resource.withMetadata(resource.metadata().withResourceVersion(resourceVersion));
  }

  private static @Nullable Resource read(String value, Kind kind, ErrorSink errors) {
    try (JsonParser json = JSON.createParser(value)) {
      return read(json, type(kind), errors);
    } catch (IOException broken) {
      errors.add("document", "is not JSON: " + firstLine(broken));
      return null;
    }
  }

  /// Reads a tree as a type; null after noting why not.
  static <T> @Nullable T read(JsonNode document, Class<T> type, ErrorSink errors) {
    try (JsonParser json = JSON.treeAsTokens(document)) {
      return read(json, type, errors);
    } catch (IOException never) {
      throw new UncheckedIOException(never);
    }
  }

  private static <T> @Nullable T read(JsonParser json, Class<T> type, ErrorSink errors)
      throws IOException {
    T value = null;
    try {
      value =
          READERS
              .computeIfAbsent(type, JSON::readerFor)
              .withAttribute(ErrorSink.key(), errors)
              .readValue(json);
    } catch (ValueInstantiationException refused) {
      // A consequence of a bad field already noted, or a constructor's own refusal.
      if (errors.found().isEmpty()) {
        errors.add(refused, reason(refused));
      }
    } catch (MismatchedInputException mismatch) {
      errors.add(mismatch, mismatch(mismatch));
    } catch (JsonMappingException other) {
      errors.add(other, firstLine(other));
    }
    if (value == null && errors.found().isEmpty()) {
      errors.add("document", "is empty");
    }
    return errors.found().isEmpty() ? value : null;
  }

  private static String reason(ValueInstantiationException refused) {
    Throwable cause = refused.getCause();
    return cause == null || cause.getMessage() == null ? firstLine(refused) : cause.getMessage();
  }

  private static String mismatch(MismatchedInputException mismatch) {
    Class<?> type = mismatch.getTargetType();
    return type == null
        ? firstLine(mismatch)
        : "expected " + Tokens.expected(JSON.constructType(type));
  }

  static String firstLine(Exception exception) {
    String message =
        exception instanceof JsonProcessingException json
            ? json.getOriginalMessage()
            : exception.getMessage();
    return String.valueOf(message).lines().findFirst().orElse("unreadable");
  }

  static Class<? extends Resource> type(Kind kind) {
    return switch (kind) {
      case BGP_CONFIGURATION -> BGPConfiguration.class;
      case BGP_FILTER -> BGPFilter.class;
      case BGP_PEER -> BGPPeer.class;
      case BLOCK_AFFINITY -> BlockAffinity.class;
      case CALICO_NODE_STATUS -> CalicoNodeStatus.class;
      case CLUSTER_INFORMATION -> ClusterInformation.class;
      case ENDPOINT_SLICE -> EndpointSlice.class;
      case FELIX_CONFIGURATION -> FelixConfiguration.class;
      case GLOBAL_NETWORK_POLICY -> GlobalNetworkPolicy.class;
      case GLOBAL_NETWORK_SET -> GlobalNetworkSet.class;
      case HOST_ENDPOINT -> HostEndpoint.class;
      case IPAM_CONFIGURATION -> IPAMConfiguration.class;
      case IP_POOL -> IPPool.class;
      case IP_RESERVATION -> IPReservation.class;
      case KUBE_CONTROLLERS_CONFIGURATION -> KubeControllersConfiguration.class;
      case LIVE_MIGRATION -> LiveMigration.class;
      case NETWORK_POLICY -> NetworkPolicy.class;
      case NETWORK_SET -> NetworkSet.class;
      case NODE -> Node.class;
      case PROFILE -> Profile.class;
      case STAGED_GLOBAL_NETWORK_POLICY -> StagedGlobalNetworkPolicy.class;
      case STAGED_KUBERNETES_NETWORK_POLICY -> StagedKubernetesNetworkPolicy.class;
      case STAGED_NETWORK_POLICY -> StagedNetworkPolicy.class;
      case TIER -> Tier.class;
      case WORKLOAD_ENDPOINT -> WorkloadEndpoint.class;
    };
  }

  /// The document to store: one line of JSON, without the revision, which is the store's to say.
  public static String encode(Resource resource) {
    Resource stored = resource.withMetadata(resource.metadata().withResourceVersion(null));
    try {
      return AS_GO.writeValueAsString(tree(stored));
    } catch (JsonProcessingException never) {
      throw new UncheckedIOException(never);
    }
  }

  /// The resource as a person reads JSON.
  public static String toPrettyJson(Resource resource) {
    return tree(resource).toPrettyString();
  }

  /// The resource as a tree, `kind` and `apiVersion` first.
  public static ObjectNode toTree(Resource resource) {
    return tree(resource);
  }

  /// The resource as one YAML document, without a separator.
  public static String toYaml(Resource resource) {
    return write(YAML, tree(resource));
  }

  /// Several resources as one List document.
  public static String toYamlList(List<? extends Resource> resources) {
    return write(YAML, list(resources));
  }

  /// Several resources as one List document.
  public static String toPrettyJsonList(List<? extends Resource> resources) {
    return list(resources).toPrettyString();
  }

  private static ObjectNode list(List<? extends Resource> resources) {
    ObjectNode list = JSON.createObjectNode();
    list.put("kind", "List").put("apiVersion", "v1");
    var items = list.putArray("items");
    resources.forEach(resource -> items.add(tree(resource)));
    return list;
  }

  private static ObjectNode tree(Resource resource) {
    ObjectNode document = JSON.createObjectNode();
    document.put("kind", resource.kind().kindName());
    document.put("apiVersion", Kind.API_VERSION);
    document.setAll(JSON.<ObjectNode>valueToTree(resource));
    return document;
  }

  private static String write(ObjectMapper mapper, JsonNode tree) {
    try {
      return mapper.writeValueAsString(tree);
    } catch (JsonProcessingException never) {
      throw new UncheckedIOException(never);
    }
  }
}
