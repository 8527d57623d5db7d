package io.margay.agent.firewall.rack;

import io.margay.datastore.json.ResourceDocuments;
import io.margay.datastore.json.ResourceReader;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import io.margay.model.resource.WorkloadEndpoint;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// All resources of a cluster at one moment. Immutable.
record World(SortedMap<ResourceRef, Resource> resources) {

  static final World EMPTY = new World(Collections.emptySortedMap());

  World {
    resources = Collections.unmodifiableSortedMap(new TreeMap<>(resources));
  }

  /// This world with the documents of a file in it, v3's and Kubernetes' alike.
  World with(String yaml) {
    ResourceDocuments documents = ResourceReader.read("test", yaml, "default");
    if (!documents.problems().isEmpty()) {
      throw new IllegalArgumentException(documents.problems() + " in\n" + yaml);
    }
    World world = this;
    for (ResourceDocuments.Item item : documents.items()) {
      world = world.with(item.resource());
    }
    return world;
  }

  World with(Resource resource) {
    SortedMap<ResourceRef, Resource> copy = new TreeMap<>(resources);
    copy.put(resource.ref(), resource);
    return new World(copy);
  }

  World without(ResourceRef ref) {
    SortedMap<ResourceRef, Resource> copy = new TreeMap<>(resources);
    copy.remove(ref);
    return new World(copy);
  }

  /// What to tell somebody who knows this world, so that he knows `next`.
  Map<ResourceRef, @Nullable Resource> changesTo(World next) {
    Map<ResourceRef, @Nullable Resource> changes = new HashMap<>();
    for (ResourceRef ref : resources.keySet()) {
      if (!next.resources.containsKey(ref)) {
        changes.put(ref, null);
      }
    }
    next.resources.forEach(
        (ref, resource) -> {
          if (!resource.equals(resources.get(ref))) {
            changes.put(ref, resource);
          }
        });
    return changes;
  }

  Collection<Resource> all() {
    return resources.values();
  }

  List<WorkloadEndpoint> endpoints() {
    return resources.values().stream()
        .filter(WorkloadEndpoint.class::isInstance)
        .map(WorkloadEndpoint.class::cast)
        .toList();
  }
}
