package io.margay.model.k8s;

import io.margay.model.resource.Port;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// The fewest ports and ranges that mean the same.
final class PortRanges {

  private PortRanges() {}

  /// Names first, each once, as given; then numbers ascending, overlapping and adjacent ones as one
  /// range.
  static List<Port> merged(List<Port> ports) {
    List<Port> merged = new ArrayList<>();
    List<Port.Range> ranges = new ArrayList<>();
    for (Port port : ports) {
      switch (port) {
        case Port.Named name -> {
          if (!merged.contains(name)) {
            merged.add(name);
          }
        }
        case Port.Single(int number) -> ranges.add(new Port.Range(number, number));
        case Port.Range range -> ranges.add(range);
      }
    }
    ranges.sort(Comparator.comparingInt(Port.Range::first).thenComparingInt(Port.Range::last));
    for (int i = 0; i < ranges.size(); ) {
      int first = ranges.get(i).first();
      int last = ranges.get(i).last();
      for (i++; i < ranges.size() && ranges.get(i).first() <= last + 1; i++) {
        last = Math.max(last, ranges.get(i).last());
      }
      merged.add(first == last ? new Port.Single(first) : new Port.Range(first, last));
    }
    return List.copyOf(merged);
  }
}
