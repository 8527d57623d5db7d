package io.margay.datastore.etcd;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import io.etcd.jetcd.Response;
import io.etcd.jetcd.kv.GetResponse;
import io.etcd.jetcd.kv.TxnResponse;
import io.etcd.jetcd.op.Cmp;
import io.etcd.jetcd.op.CmpTarget;
import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.DeleteOption;
import io.etcd.jetcd.options.GetOption;
import io.etcd.jetcd.options.OptionsUtil;
import io.etcd.jetcd.options.PutOption;
import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.DatastoreSettings;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Leases;
import io.margay.datastore.Listing;
import io.margay.datastore.StoreId;
import io.margay.datastore.Txn;
import io.margay.datastore.Watch;
import io.margay.datastore.WatchListener;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The port on etcd 3.4 or later. Opening makes no round trip: the first call connects.
///
/// When a TLS file changes, a second client is made with it, tried, and put in the first one's
/// place; watches end as `Moved` and go on there. Files that can't be used, or that the servers
/// refuse, change nothing and are tried again.
public final class EtcdDatastore implements Datastore, Leases {

  /// The longest a single-key read or a commit may take. Enforced in the RPC itself, so that a late
  /// write is dropped.
  public static final Duration CALL_DEADLINE = Duration.ofSeconds(3);

  /// The longest one page of a listing may take.
  public static final Duration PAGE_DEADLINE = Duration.ofSeconds(10);

  /// The most keys asked for in one answer of a listing; fewer when they are large.
  public static final int PAGE_KEYS = 4096;

  /// The same where each is handed over as it comes: what is on its way, two pages, fits into the
  /// young generation of a small heap.
  static final int STREAM_KEYS = 1024;

  /// The largest answer accepted, in octets. A watch's answer can't be cut into pages.
  public static final int MAX_INBOUND_OCTETS = 64 << 20;

  /// How often the TLS files are compared with those in use.
  public static final Duration CERTIFICATE_INTERVAL = Duration.ofSeconds(10);

  /// Threads of the client library's callbacks, per store.
  static final int CLIENT_THREADS = 4;

  /// How long calls under way may go on over the old connection.
  private static final Duration OLD_CLIENT_GRACE = PAGE_DEADLINE;

  /// A key that nobody writes.
  private static final String PROBE = "/margay/v1/probe";

  private static final Logger LOG = LoggerFactory.getLogger(EtcdDatastore.class);
  private static final AtomicInteger THREAD_NUMBERS = new AtomicInteger();

  private final DatastoreSettings settings;
  private final ExecutorService executor;
  private final EtcdCalls calls;
  private final Set<EtcdWatch> watches = ConcurrentHashMap.newKeySet();
  private final @Nullable CertificateWatch certificates;
  private final AtomicInteger renewals = new AtomicInteger();
  private volatile Client client;
  private boolean isClosed;

  private EtcdDatastore(
      DatastoreSettings settings,
      ExecutorService executor,
      Client client,
      Duration interval,
      Duration patience) {
    this.settings = settings;
    this.executor = executor;
    this.client = client;
    calls =
        new EtcdCalls(
            settings,
            new Reconnection(
                settings.endpoints(),
                patience,
                look -> Thread.ofVirtual().name("etcd-look").start(look),
                this::reconnect));
    certificates =
        settings.tls().map(tls -> new CertificateWatch(tls, interval, this::renew)).orElse(null);
  }

  /// @throws DatastoreException of kind INVALID, when a TLS file can't be used
  public static EtcdDatastore open(DatastoreSettings settings) throws DatastoreException {
    return open(settings, CERTIFICATE_INTERVAL, Reconnection.PATIENCE);
  }

  static EtcdDatastore open(
      DatastoreSettings settings, Duration certificateInterval, Duration patience)
      throws DatastoreException {
    ExecutorService executor = clientThreads();
    try {
      return new EtcdDatastore(
          settings,
          executor,
          EtcdConnection.open(settings, executor),
          certificateInterval,
          patience);
    } catch (DatastoreException unusable) {
      executor.shutdown();
      throw unusable;
    }
  }

  /// Begins to connect, which otherwise the first call waits for; whether it comes to anything is
  /// for that one to find out.
  public void connectAhead() {
    Thread.ofPlatform()
        .daemon()
        .name("etcd-ahead")
        .start(
            () -> {
              try {
                get(PROBE);
              } catch (DatastoreException nobodysYet) {
                LOG.atDebug()
                    .addKeyValue("reason", nobodysYet.getMessage())
                    .log("connecting ahead came to nothing");
              }
            });
  }

  /// Files as they are now, in a client of their own, which must get through to some server.
  private boolean renew() {
    Client fresh = null;
    try {
      Client made = EtcdConnection.open(settings, executor);
      fresh = made;
      calls.awaitRead(() -> made.getKVClient().get(bytes(PROBE)), CALL_DEADLINE, "trying");
    } catch (DatastoreException refused) {
      if (fresh == null || !EtcdFailures.isPermissionDenied(refused)) {
        LOG.atWarn()
            .addKeyValue("reason", refused.getMessage())
            .log("the TLS files have changed but don't work; those in use stay, trying again");
        closeQuietly(fresh);
        return false;
      }
    }
    LOG.atInfo()
        .addKeyValue("endpoints", settings.endpointText())
        .log("the TLS files have changed; a new connection is in use");
    exchange(fresh);
    return true;
  }

  /// A server takes connections that the present client does not try.
  private void reconnect() {
    try {
      exchange(EtcdConnection.open(settings, executor));
    } catch (DatastoreException unusable) {
      LOG.atWarn()
          .addKeyValue("reason", unusable.getMessage())
          .log("the datastore takes connections again, but none can be made; trying again");
    }
  }

  private synchronized void exchange(Client fresh) {
    if (isClosed) {
      closeQuietly(fresh);
      return;
    }
    Client old = client;
    client = fresh;
    // Counted before the watches are moved: one that starts meanwhile moves itself.
    renewals.incrementAndGet();
    List.copyOf(watches).forEach(EtcdWatch::move);
    Thread.ofVirtual()
        .start(
            () -> {
              try {
                Thread.sleep(OLD_CLIENT_GRACE);
              } catch (InterruptedException closeNow) {
                Thread.currentThread().interrupt();
              }
              closeQuietly(old);
            });
  }

  /// How often a new client has taken the place of one: for new TLS files, or to reach a server
  /// again.
  public int renewals() {
    return renewals.get();
  }

  private static void closeQuietly(@Nullable Client client) {
    if (client != null) {
      client.close();
    }
  }

  private static ExecutorService clientThreads() {
    ThreadPoolExecutor threads =
        new ThreadPoolExecutor(
            CLIENT_THREADS,
            CLIENT_THREADS,
            5,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task ->
                Thread.ofPlatform()
                    .daemon()
                    .name("etcd-client-" + THREAD_NUMBERS.incrementAndGet())
                    .unstarted(task));
    threads.allowCoreThreadTimeOut(true);
    return threads;
  }

  @Override
  public Optional<KeyValue> get(String key) throws DatastoreException {
    GetResponse response =
        calls.awaitRead(
            () -> client.getKVClient().get(bytes(key)), CALL_DEADLINE, "reading " + key);
    return response.getKvs().isEmpty()
        ? Optional.empty()
        : Optional.of(toKeyValue(response.getKvs().getFirst()));
  }

  @Override
  public Listing getAll(List<String> keys) throws DatastoreException {
    if (keys.isEmpty() || keys.size() > Txn.MAX_OPERATIONS) {
      throw new IllegalArgumentException(
          "reading " + keys.size() + " keys at once; expected 1 to " + Txn.MAX_OPERATIONS);
    }
    Op[] reads = keys.stream().map(EtcdDatastore::read).toArray(Op[]::new);
    TxnResponse response =
        calls.awaitRead(
            () -> client.getKVClient().txn().Then(reads).commit(),
            CALL_DEADLINE,
            "reading " + keys.size() + " keys from " + keys.getFirst());
    List<KeyValue> items = new ArrayList<>(keys.size());
    for (GetResponse got : response.getGetResponses()) {
      got.getKvs().forEach(item -> items.add(toKeyValue(item)));
    }
    return new Listing(storeOf(response.getHeader()), response.getHeader().getRevision(), items);
  }

  @Override
  public Listing list(String prefix) throws DatastoreException {
    return new EtcdListing(calls, client.getKVClient(), prefix, PAGE_KEYS).read();
  }

  @Override
  public Listing list(String prefix, Consumer<KeyValue> each) throws DatastoreException {
    return new EtcdListing(calls, client.getKVClient(), prefix, STREAM_KEYS).readOnce(each);
  }

  @Override
  public Listing page(String prefix, String after, int limit, long revision)
      throws DatastoreException {
    ByteSequence from =
        after.isEmpty() ? bytes(prefix) : bytes(after).concat(ByteSequence.from(new byte[] {0}));
    GetOption option =
        GetOption.builder()
            .withRange(OptionsUtil.prefixEndOf(bytes(prefix)))
            .withRevision(revision)
            .withLimit(limit)
            .build();
    GetResponse response =
        calls.awaitRead(
            () -> client.getKVClient().get(from, option), PAGE_DEADLINE, "listing " + prefix);
    List<KeyValue> items = new ArrayList<>(response.getKvs().size());
    response.getKvs().forEach(item -> items.add(toKeyValue(item)));
    return new Listing(
        storeOf(response.getHeader()),
        revision == 0 ? response.getHeader().getRevision() : revision,
        items);
  }

  @Override
  public CommitResult commit(Txn txn) throws DatastoreException {
    Cmp[] comparisons =
        txn.conditions().stream().map(EtcdDatastore::comparison).toArray(Cmp[]::new);
    Op[] writes =
        txn.writes().stream().map(write -> write(write, PutOption.DEFAULT)).toArray(Op[]::new);
    Op[] reads =
        txn.conditions().stream()
            .map(Txn.Condition::key)
            .distinct()
            .map(EtcdDatastore::read)
            .toArray(Op[]::new);
    TxnResponse response =
        calls.await(
            () -> client.getKVClient().txn().If(comparisons).Then(writes).Else(reads).commit(),
            CALL_DEADLINE,
            "committing " + describe(txn));
    long revision = response.getHeader().getRevision();
    if (response.isSucceeded()) {
      return new CommitResult.Committed(revision);
    }
    Map<String, KeyValue> current = new HashMap<>();
    for (GetResponse got : response.getGetResponses()) {
      for (io.etcd.jetcd.KeyValue item : got.getKvs()) {
        KeyValue found = toKeyValue(item);
        current.put(found.key(), found);
      }
    }
    return new CommitResult.Conflict(revision, current);
  }

  @Override
  public Watch watch(String prefix, long fromRevision, WatchListener listener) {
    EtcdWatch watch =
        new EtcdWatch(
            executor, calls, new EtcdWatch.Range(prefix, fromRevision), listener, watches::remove);
    watches.add(watch);
    int before = renewals.get();
    watch.start(client.getWatchClient());
    if (renewals.get() != before) {
      watch.move();
    }
    return watch;
  }

  @Override
  public long grant(Duration ttl) throws DatastoreException {
    return calls
        .await(
            () -> client.getLeaseClient().grant(ttl.toSeconds()),
            CALL_DEADLINE,
            "granting a lease of " + ttl.toSeconds() + " s")
        .getID();
  }

  @Override
  public boolean keepAlive(long lease) throws DatastoreException {
    try {
      return calls
              .await(
                  () -> client.getLeaseClient().keepAliveOnce(lease),
                  CALL_DEADLINE,
                  "keeping a lease")
              .getTTL()
          > 0;
    } catch (DatastoreException failed) {
      return notGone(failed);
    }
  }

  @Override
  public boolean write(long lease, List<Txn.Write> writes) throws DatastoreException {
    Txn txn = new Txn(List.of(), writes);
    PutOption leased = PutOption.builder().withLeaseId(lease).build();
    Op[] operations = writes.stream().map(write -> write(write, leased)).toArray(Op[]::new);
    try {
      calls.await(
          () -> client.getKVClient().txn().Then(operations).commit(),
          CALL_DEADLINE,
          "writing " + describe(txn));
      return true;
    } catch (DatastoreException failed) {
      return notGone(failed);
    }
  }

  @Override
  public void revoke(long lease) throws DatastoreException {
    try {
      calls.await(() -> client.getLeaseClient().revoke(lease), CALL_DEADLINE, "revoking a lease");
    } catch (DatastoreException failed) {
      notGone(failed);
    }
  }

  /// False when the failure says that the lease is gone.
  private static boolean notGone(DatastoreException failed) throws DatastoreException {
    if (EtcdFailures.isLeaseGone(failed)) {
      return false;
    }
    throw failed;
  }

  @Override
  public void close() {
    if (certificates != null) {
      certificates.close();
    }
    List.copyOf(watches).forEach(EtcdWatch::close);
    synchronized (this) {
      isClosed = true;
      client.close();
    }
    executor.shutdown();
  }

  private static String describe(Txn txn) {
    return txn.writes().isEmpty()
        ? txn.conditions().size() + " conditions"
        : txn.writes().size() + " writes, first " + txn.writes().getFirst().key();
  }

  private static Cmp comparison(Txn.Condition condition) {
    ByteSequence key = bytes(condition.key());
    return switch (condition) {
      case Txn.Condition.Absent _ -> new Cmp(key, Cmp.Op.EQUAL, CmpTarget.createRevision(0));
      case Txn.Condition.Exists _ -> new Cmp(key, Cmp.Op.GREATER, CmpTarget.createRevision(0));
      case Txn.Condition.AtRevision at ->
          new Cmp(key, Cmp.Op.EQUAL, CmpTarget.modRevision(at.modRevision()));
      case Txn.Condition.Unchanged unchanged -> RangeComparisons.of(unchanged);
    };
  }

  private static Op write(Txn.Write write, PutOption option) {
    return switch (write) {
      case Txn.Write.Put(String key, String value) -> Op.put(bytes(key), bytes(value), option);
      case Txn.Write.Delete(String key) -> Op.delete(bytes(key), DeleteOption.DEFAULT);
    };
  }

  private static Op read(String key) {
    return Op.get(bytes(key), GetOption.DEFAULT);
  }

  static KeyValue toKeyValue(io.etcd.jetcd.KeyValue item) {
    return new KeyValue(
        item.getKey().toString(UTF_8), item.getValue().toString(UTF_8), item.getModRevision());
  }

  static StoreId storeOf(Response.Header header) {
    return new StoreId(Long.toHexString(header.getClusterId()), header.getRaftTerm());
  }

  static ByteSequence bytes(String text) {
    return ByteSequence.from(text, UTF_8);
  }
}
