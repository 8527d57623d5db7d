package io.margay.agent.calc;

import io.margay.datastore.json.ResourceDocuments;
import io.margay.datastore.json.ResourceReader;
import io.margay.model.resource.Resource;
import java.util.List;

/// Resources as operators write them.
public final class Documents {

  private Documents() {}

  /// Reads YAML documents; a bad one fails the test.
  public static List<Resource> read(String yaml) {
    ResourceDocuments documents = ResourceReader.read("test", yaml, "default");
    if (!documents.problems().isEmpty()) {
      throw new AssertionError(documents.problems());
    }
    return documents.items().stream().map(ResourceDocuments.Item::resource).toList();
  }

  /// A view that knows these and nothing else.
  public static ClusterView view(String yaml) {
    ClusterView view = new ClusterView();
    read(yaml).forEach(resource -> view.onUpdate(resource.ref(), resource));
    return view;
  }

  /// A resource in short: kind, name and the spec in YAML's flow style.
  public static String document(String kind, String name, String spec) {
    return """
        apiVersion: projectcalico.org/v3
        kind: %s
        metadata: {name: %s}
        spec: %s
        ---
        """
        .formatted(kind, name, spec);
  }
}
