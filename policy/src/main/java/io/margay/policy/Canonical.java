package io.margay.policy;

import io.margay.model.resource.ResourceRef;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/// Equal texts as one object: every document says its namespace, its labels and its profiles anew,
/// and in a large cluster the copies would take more memory than everything else.
///
/// Remembers a bounded number of texts, each in the one place its hash gives it: one that is pushed
/// out is merely not shared any more.
final class Canonical {

  private static final int PLACES = 1 << 15;

  private final String[] texts = new String[PLACES];
  private final Object[] maps = new Object[PLACES];
  private final Object[] lists = new Object[PLACES];

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
    return list(
        texts,
        () -> {
          List<String> shared = new ArrayList<>(texts.size());
          texts.forEach(text -> shared.add(text(text)));
          return shared;
        });
  }

  private List<SetSource.Port> ports(List<SetSource.Port> ports) {
    return list(
        ports,
        () -> {
          List<SetSource.Port> shared = new ArrayList<>(ports.size());
          for (SetSource.Port port : ports) {
            shared.add(new SetSource.Port(text(port.name()), port.protocol(), port.number()));
          }
          return shared;
        });
  }

  private <T> List<T> list(List<T> list, Supplier<List<T>> made) {
    int place = place(list.hashCode());
    if (list.equals(lists[place])) {
      @SuppressWarnings("unchecked") // an equal list holds the same type
      List<T> known = (List<T>) lists[place];
      return known;
    }
    List<T> kept = List.copyOf(made.get());
    lists[place] = kept;
    return kept;
  }

  Map<String, String> labels(Map<String, String> labels) {
    int place = place(hash(labels));
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

  /// A map's own is the sum of its entries', which for `app-1` beside `tier-2` and `app-2` beside
  /// `tier-1` is one.
  private static int hash(Map<String, String> labels) {
    int sum = 0;
    for (Map.Entry<String, String> label : labels.entrySet()) {
      int one = (label.getKey().hashCode() * 31 + label.getValue().hashCode()) * 0x9E3779B9;
      sum += (one ^ one >>> 15) * 0x85EBCA6B;
    }
    return sum ^ sum >>> 13;
  }

  ResourceRef ref(ResourceRef ref) {
    return new ResourceRef(ref.kind(), text(ref.namespace()), ref.name());
  }

  SetSource source(SetSource source) {
    return new SetSource(
        labels(source.labels()), texts(source.parents()), source.nets(), ports(source.ports()));
  }
}
