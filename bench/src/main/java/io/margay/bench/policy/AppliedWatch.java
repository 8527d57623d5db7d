package io.margay.bench.policy;

import java.io.BufferedReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// Hears from the kernel, by `bench/src/main/c/applied.c`, when what was written into the store has
/// been applied: elements of sets by their address, routes by their prefix.
final class AppliedWatch implements AutoCloseable {

  private final Map<String, Long> written = new ConcurrentHashMap<>();
  private final Process monitor;
  private final List<Long> elements = new ArrayList<>();
  private final List<Long> routes = new ArrayList<>();

  /// @param program compiled
  AppliedWatch(String program) throws IOException {
    monitor = new ProcessBuilder(program).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    BufferedReader lines = monitor.inputReader();
    Thread.ofPlatform().daemon().start(() -> lines.lines().forEach(this::heard));
  }

  /// The clock of the notices is that of [System#nanoTime].
  private void heard(String notice) {
    int space = notice.indexOf(' ');
    String what = notice.substring(space + 1);
    Long since = written.remove(what);
    if (since != null) {
      List<Long> lags = what.indexOf('/') < 0 ? elements : routes;
      synchronized (lags) {
        lags.add(Long.parseLong(notice.substring(0, space)) - since);
      }
    }
  }

  /// What is about to be written.
  ///
  /// @param what an address or a prefix
  void expect(String what) {
    written.put(what, System.nanoTime());
  }

  void print() {
    print("element of a set", elements);
    print("route", routes);
  }

  private static void print(String what, List<Long> lags) {
    List<Long> sorted;
    synchronized (lags) {
      sorted = lags.stream().sorted().toList();
    }
    if (!sorted.isEmpty()) {
      System.out.printf(
          Locale.ROOT,
          "lag from before the write to the kernel's notice of the %s: p50 %.1f ms, p99 %.1f ms,"
              + " longest %.1f ms of %d%n",
          what,
          sorted.get(sorted.size() / 2) / 1e6,
          sorted.get(sorted.size() * 99 / 100) / 1e6,
          sorted.getLast() / 1e6,
          sorted.size());
    }
  }

  @Override
  public void close() {
    monitor.destroy();
  }
}
