package io.margay.cli.output;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.function.Consumer;

/// Documents of one kind that are shown together.
public interface DocumentGroup {

  /// As their `kind` field has it.
  String kindName();

  /// As keys have it, which is what columns go by.
  String plural();

  boolean isNamespaced();

  /// Whether the kind was asked for; otherwise objects were, by name.
  boolean isList();

  /// The store's revision when the list was read, in decimal.
  String resourceVersion();

  /// Hands over one document after the other, each anew in each call.
  void forEach(Consumer<ObjectNode> each);
}
