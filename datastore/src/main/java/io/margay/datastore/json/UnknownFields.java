package io.margay.datastore.json;

import io.margay.model.resource.FelixConfigurationSpec;
import io.margay.model.resource.Resource;
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
      case FelixConfigurationSpec _ -> {
        // Any name may be a knob.
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
        visit(inner, join(path, name), paths);
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
