package io.margay.datastore.json;

import io.margay.model.k8s.KubernetesEndpointSlice;
import io.margay.model.k8s.KubernetesPod;
import io.margay.model.resource.Resource;
import java.util.List;
import java.util.stream.Stream;

/// What a file holds.
///
/// @param items the valid resources, in written order
/// @param pods the valid Pod documents, in written order; see [PodDocuments] for where they go
/// @param slices the valid EndpointSlices, in written order; see [EndpointSliceDocuments]
/// @param problems what is wrong with the others; empty = the whole file is good
public record ResourceDocuments(
    List<Item> items, List<PodItem> pods, List<SliceItem> slices, List<DocumentProblem> problems) {

  public ResourceDocuments {
    items = List.copyOf(items);
    pods = List.copyOf(pods);
    slices = List.copyOf(slices);
    problems = List.copyOf(problems);
  }

  /// What a file without documents holds.
  public static final ResourceDocuments NONE =
      new ResourceDocuments(List.of(), List.of(), List.of(), List.of());

  /// This file's documents, then another's.
  public ResourceDocuments plus(ResourceDocuments other) {
    return new ResourceDocuments(
        joined(items, other.items),
        joined(pods, other.pods),
        joined(slices, other.slices),
        joined(problems, other.problems));
  }

  private static <T> List<T> joined(List<T> first, List<T> second) {
    return Stream.concat(first.stream(), second.stream()).toList();
  }

  /// A valid resource.
  ///
  /// @param unknownFields paths of fields that are kept but mean nothing here
  public record Item(Origin origin, Resource resource, List<String> unknownFields) {
    public Item {
      unknownFields = List.copyOf(unknownFields);
    }
  }

  /// Whether it holds nothing that is valid.
  public boolean isEmpty() {
    return size() == 0;
  }

  /// How much is valid.
  public int size() {
    return items.size() + pods.size() + slices.size();
  }

  /// A valid EndpointSlice.
  public record SliceItem(Origin origin, KubernetesEndpointSlice slice) {}

  /// A valid Pod document.
  public record PodItem(Origin origin, KubernetesPod pod) {}
}
