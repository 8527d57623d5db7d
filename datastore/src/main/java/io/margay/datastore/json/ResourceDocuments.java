package io.margay.datastore.json;

import io.margay.model.resource.Resource;
import java.util.List;

/// What a file holds.
///
/// @param items the valid resources, in written order
/// @param problems what is wrong with the others; empty = the whole file is good
public record ResourceDocuments(List<Item> items, List<DocumentProblem> problems) {

  public ResourceDocuments {
    items = List.copyOf(items);
    problems = List.copyOf(problems);
  }

  /// A valid resource.
  ///
  /// @param unknownFields paths of fields that are kept but mean nothing here
  public record Item(Origin origin, Resource resource, List<String> unknownFields) {
    public Item {
      unknownFields = List.copyOf(unknownFields);
    }
  }
}
