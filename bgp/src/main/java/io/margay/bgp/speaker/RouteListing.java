package io.margay.bgp.speaker;

import io.margay.bgp.message.Nlri;
import io.margay.bgp.rib.RibReader;
import io.margay.bgp.rib.RouteKind;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.net.ScopedAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Function;

/// Lists routes ascending, on the thread of whoever asks. The RIB loop is asked for a flat list of
/// prefixes and then for one page of routes after another, so that a million routes neither hold it
/// up nor exist as objects at a time. A route that changes meanwhile is listed as it is when its
/// page is read, one that goes is left out.
final class RouteListing {

  /// Routes read from the loop at a time.
  static final int PAGE_ROUTES = 512;

  /// Asks the loop and waits for the answer.
  interface Loop {
    <T> T ask(Function<RibReader, T> question);
  }

  private final Loop loop;

  RouteListing(Loop loop) {
    this.loop = loop;
  }

  void routes(RouteQuery query, Consumer<RouteStatus> each) {
    pages(
        query,
        (reader, prefix) -> reader.route(prefix).map(RouteReports::route).stream().toList(),
        each);
  }

  void advertised(ScopedAddress peer, IpFamily family, Consumer<AdvertisedStatus> each) {
    pages(
        new RouteQuery(RouteKind.ADVERTISED, Set.of(family), peer, null),
        (reader, prefix) ->
            reader.advertised(peer, prefix).stream()
                .map(told -> new AdvertisedStatus(prefix, told.pathId(), told.route()))
                .toList(),
        each);
  }

  private interface Reading<T> {
    List<T> read(RibReader reader, Prefix prefix);
  }

  private <T> void pages(RouteQuery query, Reading<T> reading, Consumer<T> each) {
    for (IpFamily family : new TreeSet<>(query.families())) {
      Nlri found = loop.ask(reader -> reader.prefixes(family, query.kind(), query.peer()));
      int[] order = sorted(found);
      int from = 0;
      while (from < order.length) {
        int first = from;
        int end = Math.min(order.length, from + PAGE_ROUTES);
        List<T> page =
            loop.ask(
                reader -> {
                  List<T> rows = new ArrayList<>();
                  for (int i = first; i < end; i++) {
                    Prefix prefix = found.prefix(order[i]);
                    if (query.within() == null || query.within().contains(prefix)) {
                      rows.addAll(reading.read(reader, prefix));
                    }
                  }
                  return rows;
                });
        page.forEach(each);
        from = end;
      }
    }
  }

  /// Indexes of the prefixes, ascending by address, then length: a merge sort without objects.
  private static int[] sorted(Nlri prefixes) {
    int[] order = new int[prefixes.size()];
    for (int i = 0; i < order.length; i++) {
      order[i] = i;
    }
    int[] from = order;
    int[] to = new int[order.length];
    for (int width = 1; width < order.length; width *= 2) {
      for (int start = 0; start < order.length; start += 2 * width) {
        merge(prefixes, from, to, start, width);
      }
      int[] swap = from;
      from = to;
      to = swap;
    }
    return from;
  }

  private static void merge(Nlri prefixes, int[] from, int[] to, int start, int width) {
    int left = start;
    int middle = Math.min(start + width, from.length);
    int right = middle;
    int end = Math.min(start + 2 * width, from.length);
    for (int i = start; i < end; i++) {
      boolean takeLeft =
          left < middle && (right >= end || compare(prefixes, from[left], from[right]) <= 0);
      to[i] = takeLeft ? from[left++] : from[right++];
    }
  }

  private static int compare(Nlri prefixes, int one, int other) {
    int order = Long.compareUnsigned(prefixes.high(one), prefixes.high(other));
    if (order == 0) {
      order = Long.compareUnsigned(prefixes.low(one), prefixes.low(other));
    }
    return order == 0 ? Integer.compare(prefixes.length(one), prefixes.length(other)) : order;
  }
}
