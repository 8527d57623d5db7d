package io.margay.policy;

import io.margay.model.resource.ResourceRef;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Equal texts as one object: every document says its namespace, its labels and its profiles anew,
/// and in a large cluster the copies would take more memory than everything else.
///
/// Remembers a bounded number of texts, each in the one place its hash gives it: one that is pushed
/// out is merely not shared any more.
final class Canonical {

  private static final int PLACES = 1 << 15;

  private final String[] texts = new String[PLACES];
  private final Object[] maps = new Object[PLACES];

  String text(String text) {
    int place = place(text.hashCode());
    String known = texts[place];
    if (text.equals(known)) {
      return known;
    }
    texts[place] = text;
    return text;
  }

  private static int place(int hash) {
    return (hash ^ hash >>> 15) & PLACES - 1;
  }

  List<String> texts(List<String> texts) {
    List<String> shared = new ArrayList<>(texts.size());
    texts.forEach(text -> shared.add(text(text)));
    return List.copyOf(shared);
  }

  Map<String, String> labels(Map<String, String> labels) {
    int place = place(labels.hashCode());
    if (labels.equals(maps[place]) && maps[place] instanceof Map<?, ?>) {
      @SuppressWarnings("unchecked") // nothing else is put there
      Map<String, String> known = (Map<String, String>) maps[place];
      return known;
    }
    Map<String, String> shared = HashMap.newHashMap(labels.size());
    labels.forEach((key, value) -> shared.put(text(key), text(value)));
    Map<String, String> kept = Map.copyOf(shared);
    maps[place] = kept;
    return kept;
  }

  ResourceRef ref(ResourceRef ref) {
    return new ResourceRef(ref.kind(), text(ref.namespace()), ref.name());
  }

  SetSource source(SetSource source) {
    List<SetSource.Port> ports = new ArrayList<>(source.ports().size());
    for (SetSource.Port port : source.ports()) {
      ports.add(new SetSource.Port(text(port.name()), port.protocol(), port.number()));
    }
    return new SetSource(labels(source.labels()), texts(source.parents()), source.nets(), ports);
  }
}
