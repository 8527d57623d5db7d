package io.margay.datastore.json;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.margay.model.resource.FelixConfigurationSpec;
import io.margay.model.resource.Resource;
import io.margay.model.resource.StagedKubernetesNetworkPolicySpec;
import io.margay.model.resource.WorkloadEndpointSpec;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The fields of a resource that this version keeps without knowing what they mean.
public final class UnknownFields {

  private static final String COMPONENT = "unknown";

  private UnknownFields() {}

  /// Their paths, in document order: `spec.ingress[0].futureField`.
  public static List<String> of(Resource resource) {
    List<String> paths = new ArrayList<>();
    visit(resource, "", paths);
    return paths;
  }

  private static void visit(Object value, String path, List<String> paths) {
    switch (value) {
      case FelixConfigurationSpec felix ->
          felix.unknownKnobs().forEach(knob -> paths.add(join(path, knob)));
      case WorkloadEndpointSpec endpoint -> {
        WorkloadEndpointSpec.qosKnobs()
            .unknown(endpoint.qosControls())
            .forEach(knob -> paths.add(join(path, "qosControls." + knob)));
        visitComponents(endpoint, path, paths);
      }
      case StagedKubernetesNetworkPolicySpec staged -> {
        StagedKubernetesRules.unknownFields(staged).forEach(field -> paths.add(field));
        visitComponents(staged, path, paths);
      }
      case List<?> list -> {
        for (int i = 0; i < list.size(); i++) {
          visit(list.get(i), path + "[" + i + "]", paths);
        }
      }
      case Record nested -> visitComponents(nested, path, paths);
      default -> {
        // Scalars and free-form maps hold no unknown field.
      }
    }
  }

  private static void visitComponents(Record value, String path, List<String> paths) {
    for (RecordComponent component : value.getClass().getRecordComponents()) {
      Object inner = read(value, component);
      String name = component.getName();
      if (name.equals(COMPONENT) && inner instanceof Map<?, ?> unknown) {
        unknown.keySet().forEach(key -> paths.add(join(path, String.valueOf(key))));
      } else if (inner != null) {
        JsonProperty written = component.getAccessor().getAnnotation(JsonProperty.class);
        visit(inner, join(path, written == null ? name : written.value()), paths);
      }
    }
  }

  private static @Nullable Object read(Record value, RecordComponent component) {
    try {
      return component.getAccessor().invoke(value);
    } catch (ReflectiveOperationException never) {
      throw new IllegalStateException("a public record hides " + component, never);
    }
  }

  private static String join(String path, String name) {
    return path.isEmpty() ? name : path + "." + name;
  }
}
