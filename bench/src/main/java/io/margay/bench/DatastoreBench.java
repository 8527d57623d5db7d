package io.margay.bench;

import io.margay.datastore.Change;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.DatastoreSettings;
import io.margay.datastore.KeyValue;
import io.margay.datastore.SyncListener;
import io.margay.datastore.SyncStatus;
import io.margay.datastore.Syncer;
import io.margay.datastore.Txn;
import io.margay.datastore.etcd.EtcdDatastore;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.model.resource.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;

/// What `bench/datastore/run.sh` runs against an etcd, each step in a process of its own: fills the
/// store, lists and decodes it, writes at a rate, and watches what is written.
public final class DatastoreBench {

  private static final int BATCH = 100;
  private static final String EVENTS = "/margay/bench/events/";

  private final Datastore store;

  private DatastoreBench(Datastore store) {
    this.store = store;
  }

  /// @param arguments step, endpoint, and two numbers: endpoints and policies, or events a second
  ///   and seconds
  public static void main(String[] arguments) throws Exception {
    try (EtcdDatastore store = EtcdDatastore.open(DatastoreSettings.of(arguments[1]))) {
      DatastoreBench bench = new DatastoreBench(store);
      int first = Integer.parseInt(arguments[2]);
      int second = Integer.parseInt(arguments[3]);
      switch (arguments[0]) {
        case "fill" -> bench.fill(first, second);
        case "list" -> bench.list(first, second);
        case "write" -> bench.write(first, second);
        case "watch" -> bench.watch(first, second);
        default -> throw new IllegalArgumentException(arguments[0]);
      }
    }
  }

  private void fill(int endpoints, int policies) throws DatastoreException {
    List<Txn.Write> writes = new ArrayList<>();
    for (int i = 0; i < endpoints; i++) {
      String name = "node%04d-k8s-pod--%06d-eth0".formatted(i / 100, i);
      add(
          writes,
          ResourceKeys.prefix(Kind.WORKLOAD_ENDPOINT, "ns" + i % 200) + name,
          """
          {"kind":"WorkloadEndpoint","apiVersion":"projectcalico.org/v3","metadata":{"name":"%s","namespace":"ns%d","uid":"7e6a5c7e-0000-4000-8000-%012d","creationTimestamp":"2026-11-28T12:00:00Z","labels":{"app":"app%d","tier":"t%d","projectcalico.org/namespace":"ns%d","projectcalico.org/orchestrator":"k8s","projectcalico.org/serviceaccount":"default"}},"spec":{"orchestrator":"k8s","node":"node%04d","containerID":"%064x","pod":"pod-%06d","endpoint":"eth0","serviceAccountName":"default","ipNetworks":["10.%d.%d.%d/32"],"profiles":["kns.ns%d","ksa.ns%d.default"],"interfaceName":"cali%011x","mac":"ee:ee:ee:ee:ee:ee","ports":[{"name":"http","protocol":"TCP","port":8080}]}}\
          """
              .formatted(
                  name,
                  i % 200,
                  i,
                  i % 500,
                  i % 5,
                  i % 200,
                  i / 100,
                  i,
                  i,
                  64 + i / 65536,
                  i / 256 % 256,
                  i % 256,
                  i % 200,
                  i % 200,
                  i));
    }
    for (int i = 0; i < policies; i++) {
      String name = "default.policy-%05d".formatted(i);
      add(
          writes,
          ResourceKeys.prefix(Kind.NETWORK_POLICY, "ns" + i % 200) + name,
          """
          {"kind":"NetworkPolicy","apiVersion":"projectcalico.org/v3","metadata":{"name":"%s","namespace":"ns%d","creationTimestamp":"2026-11-28T12:00:00Z"},"spec":{"tier":"default","order":%d,"selector":"app == 'app%d' && tier in {'t1','t2'}","types":["Ingress","Egress"],"ingress":[{"action":"Allow","protocol":"TCP","source":{"selector":"app == 'app%d'","namespaceSelector":"all()"},"destination":{"ports":[8080,"9000:9100"]}},{"action":"Deny","source":{"nets":["10.1.0.0/16"]},"destination":{}}],"egress":[{"action":"Allow","source":{},"destination":{"selector":"has(tier)"}}]}}\
          """
              .formatted(name, i % 200, i, i % 500, (i + 1) % 500));
    }
    commit(writes);
  }

  private void add(List<Txn.Write> writes, String key, String value) throws DatastoreException {
    writes.add(new Txn.Write.Put(key, value));
    if (writes.size() == BATCH) {
      commit(writes);
    }
  }

  private void commit(List<Txn.Write> writes) throws DatastoreException {
    if (!writes.isEmpty()) {
      store.commit(new Txn(List.of(), writes));
      writes.clear();
    }
  }

  /// Everything as an agent takes it in: listed, decoded, and the decoded kept.
  private void list(int endpoints, int policies) throws DatastoreException, IOException {
    List<Decoded> kept = new ArrayList<>();
    long[] octets = {0};
    long[] decoding = {0};
    long began = System.nanoTime();
    for (Kind kind : List.of(Kind.WORKLOAD_ENDPOINT, Kind.NETWORK_POLICY)) {
      store.list(
          ResourceKeys.prefix(kind),
          item -> {
            long from = System.nanoTime();
            octets[0] += item.value().length();
            ResourceJson.decode(item.key(), item.value(), item.modRevision()).ifPresent(kept::add);
            decoding[0] += System.nanoTime() - from;
          });
    }
    double seconds = (System.nanoTime() - began) / 1e9;
    long invalid = kept.stream().filter(Decoded.Invalid.class::isInstance).count();
    long used = usedHeap();
    if (kept.size() != endpoints + policies || invalid > 0) {
      throw new IllegalStateException(
          kept.size() + " decoded, of which " + invalid + " invalid; first " + kept.getFirst());
    }
    say(
        "list: %d resources, %d MiB of JSON: %.2f s, of which listing %.2f s and decoding %.2f s;"
            + " peak RSS %d MiB, heap of what is kept %d MiB",
        kept.size(),
        octets[0] >> 20,
        seconds,
        seconds - decoding[0] / 1e9,
        decoding[0] / 1e9,
        peakRss(),
        used >> 20);
  }

  private static long usedHeap() {
    System.gc();
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }

  private static long peakRss() throws IOException {
    try (var lines = Files.lines(Path.of("/proc/self/status"))) {
      return lines
          .filter(line -> line.startsWith("VmHWM:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) >> 10)
          .findFirst()
          .orElse(0);
    }
  }

  /// Puts a stream of events, the time in each, in transactions of fifty.
  private void write(int rate, int seconds) throws DatastoreException {
    int each = 50;
    long batches = (long) rate * seconds / each;
    long began = System.nanoTime();
    for (long batch = 0; batch < batches; batch++) {
      long due = began + batch * each * 1_000_000_000L / rate;
      while (System.nanoTime() < due) {
        LockSupport.parkNanos(due - System.nanoTime());
      }
      Txn.Builder txn = Txn.builder();
      for (int i = 0; i < each; i++) {
        String padding = "x".repeat(300);
        txn.put(EVENTS + (batch * each + i) % 20_000, System.nanoTime() + " " + padding);
      }
      store.commit(txn.build());
    }
    double took = (System.nanoTime() - began) / 1e9;
    say("write: %d events in %.1f s, %.0f a second", batches * each, took, batches * each / took);
  }

  private void watch(int rate, int seconds) throws InterruptedException {
    long expected = (long) rate * seconds / 50 * 50;
    Lags lags = new Lags(expected);
    try (Syncer syncer =
        new Syncer(store, List.of(EVENTS), lags, InstantSource.system(), new Random(1))) {
      syncer.start();
      lags.done.await();
    }
  }

  /// How late each event comes, by second.
  private static final class Lags implements SyncListener {
    private final long expected;
    private final CountDownLatch done = new CountDownLatch(1);
    private long[] second = new long[1024];
    private int inSecond;
    private long all;
    private long began;
    private long secondEnds;
    private boolean live;

    Lags(long expected) {
      this.expected = expected;
    }

    @Override
    public void onChanges(List<Change> changes) {
      if (!live) {
        return;
      }
      long now = System.nanoTime();
      if (all == 0) {
        began = now;
        secondEnds = now + 1_000_000_000L;
      }
      if (now > secondEnds) {
        print("watch: second");
        secondEnds = now + 1_000_000_000L;
      }
      for (Change change : changes) {
        if (change instanceof Change.Put(KeyValue item)) {
          if (inSecond == second.length) {
            second = Arrays.copyOf(second, second.length * 2);
          }
          String value = item.value();
          second[inSecond++] = now - Long.parseLong(value, 0, value.indexOf(' '), 10);
          all++;
        }
      }
      if (all >= expected) {
        print("watch: second");
        double took = (now - began) / 1e9;
        say("watch: %d events in %.1f s, %.0f a second", all, took, all / took);
        done.countDown();
      }
    }

    private void print(String what) {
      Arrays.sort(second, 0, inSecond);
      if (inSecond > 0) {
        say(
            "%s: %d events, lag p50 %.1f ms, p99 %.1f ms, max %.1f ms",
            what,
            inSecond,
            second[inSecond / 2] / 1e6,
            second[inSecond * 99 / 100] / 1e6,
            second[inSecond - 1] / 1e6);
      }
      inSecond = 0;
    }

    @Override
    public void onStatus(SyncStatus status) {
      live = status instanceof SyncStatus.InSync;
      say("watch: %s", status);
    }
  }

  private static void say(String format, Object... values) {
    System.out.println(String.format(Locale.ROOT, format, values));
  }
}
