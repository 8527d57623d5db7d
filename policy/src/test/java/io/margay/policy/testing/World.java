package io.margay.policy.testing;

import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import java.util.Collection;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/// All resources of a cluster at one moment. Immutable.
public final class World {

  public static final World EMPTY = new World(Collections.emptySortedMap());

  private final SortedMap<ResourceRef, Resource> resources;

  private World(SortedMap<ResourceRef, Resource> resources) {
    this.resources = Collections.unmodifiableSortedMap(resources);
  }

  public static World of(Resource... resources) {
    World world = EMPTY;
    for (Resource resource : resources) {
      world = world.with(resource);
    }
    return world;
  }

  public World with(Resource resource) {
    SortedMap<ResourceRef, Resource> copy = new TreeMap<>(resources);
    copy.put(resource.ref(), resource);
    return new World(copy);
  }

  public World without(ResourceRef ref) {
    SortedMap<ResourceRef, Resource> copy = new TreeMap<>(resources);
    copy.remove(ref);
    return new World(copy);
  }

  public Collection<Resource> all() {
    return resources.values();
  }

  public SortedMap<ResourceRef, Resource> byRef() {
    return resources;
  }

  /// What to tell somebody who knows this world, so that he knows `next`.
  public SortedMap<ResourceRef, ChangeTo> changesTo(World next) {
    SortedMap<ResourceRef, ChangeTo> changes = new TreeMap<>();
    TreeSet<ResourceRef> refs = new TreeSet<>(resources.keySet());
    refs.addAll(next.resources.keySet());
    for (ResourceRef ref : refs) {
      Resource now = next.resources.get(ref);
      if (now == null || !now.equals(resources.get(ref))) {
        changes.put(ref, new ChangeTo(ref, now));
      }
    }
    return changes;
  }

  /// A resource's new value.
  public record ChangeTo(ResourceRef ref, @Nullable Resource value) {
    public void tell(BiConsumer<ResourceRef, @Nullable Resource> listener) {
      listener.accept(ref, value);
    }
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("World:");
    resources.values().forEach(resource -> text.append("\n  ").append(resource));
    return text.toString();
  }
}
