package io.margay.datastore.etcd;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import io.etcd.jetcd.ClientBuilder;
import io.etcd.jetcd.kv.GetResponse;
import io.etcd.jetcd.kv.TxnResponse;
import io.etcd.jetcd.op.Cmp;
import io.etcd.jetcd.op.CmpTarget;
import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.DeleteOption;
import io.etcd.jetcd.options.GetOption;
import io.etcd.jetcd.options.PutOption;
import io.grpc.netty.GrpcSslContexts;
import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.DatastoreSettings;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Listing;
import io.margay.datastore.Txn;
import io.margay.datastore.Watch;
import io.margay.datastore.WatchListener;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLException;

/// The port on etcd 3.4 or later. Opening makes no round trip: the first call connects.
///
/// Two habits of the client library are switched off: queued calls while there is no connection,
/// and its own retries. Either would let a write whose caller has given up be applied later.
public final class EtcdDatastore implements Datastore {

  /// The longest a single-key read or a commit may take. Enforced in the RPC itself, so that a late
  /// write is dropped.
  public static final Duration CALL_DEADLINE = Duration.ofSeconds(3);

  /// The longest a listing may take: 100,000 keys over a slow link.
  public static final Duration LIST_DEADLINE = Duration.ofSeconds(30);

  /// The largest answer accepted, in octets: a listing of 100,000 workload endpoints.
  public static final int MAX_INBOUND_OCTETS = 64 << 20;

  private static final Duration KEEPALIVE_TIME = Duration.ofSeconds(10);
  private static final Duration KEEPALIVE_TIMEOUT = Duration.ofSeconds(2);
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);
  private static final int CLIENT_THREADS = 4;
  private static final AtomicInteger THREAD_NUMBERS = new AtomicInteger();

  private final Client client;
  private final ExecutorService executor;
  private final String endpoints;

  private EtcdDatastore(Client client, ExecutorService executor, String endpoints) {
    this.client = client;
    this.executor = executor;
    this.endpoints = endpoints;
  }

  /// @throws DatastoreException of kind INVALID, when a TLS file can't be read
  public static EtcdDatastore open(DatastoreSettings settings) throws DatastoreException {
    ExecutorService executor = clientThreads();
    try {
      ClientBuilder builder =
          Client.builder()
              .endpoints(settings.endpoints().toArray(String[]::new))
              .useVertx()
              .executorService(executor)
              .waitForReady(false)
              .retryMaxAttempts(0)
              .interceptor(new CallDeadlines())
              .connectTimeout(CONNECT_TIMEOUT)
              .keepaliveTime(KEEPALIVE_TIME)
              .keepaliveTimeout(KEEPALIVE_TIMEOUT)
              .keepaliveWithoutCalls(true)
              .maxInboundMessageSize(MAX_INBOUND_OCTETS);
      settings
          .user()
          .ifPresent(user -> builder.user(bytes(user.name())).password(bytes(user.password())));
      if (settings.tls().isPresent()) {
        useTls(builder, settings.tls().get());
      }
      return new EtcdDatastore(builder.build(), executor, settings.endpointText());
    } catch (SSLException | IllegalArgumentException unusable) {
      executor.shutdown();
      throw new DatastoreException(
          DatastoreException.Kind.INVALID,
          settings.endpointText(),
          "the datastore settings can't be used: "
              + unusable.getMessage()
              + "; check the files of datastore.tls",
          unusable);
    }
  }

  private static void useTls(ClientBuilder builder, DatastoreSettings.Tls tls) throws SSLException {
    builder.sslContext(
        ssl -> {
          GrpcSslContexts.configure(ssl).trustManager(tls.caFile().toFile());
          if (tls.certificateFile().isPresent() && tls.keyFile().isPresent()) {
            ssl.keyManager(tls.certificateFile().get().toFile(), tls.keyFile().get().toFile());
          }
        });
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
        await(client.getKVClient().get(bytes(key)), CALL_DEADLINE, "reading " + key);
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
        await(
            client.getKVClient().txn().Then(reads).commit(),
            CALL_DEADLINE,
            "reading " + keys.size() + " keys from " + keys.getFirst());
    List<KeyValue> items = new ArrayList<>(keys.size());
    for (GetResponse got : response.getGetResponses()) {
      got.getKvs().forEach(item -> items.add(toKeyValue(item)));
    }
    return new Listing(response.getHeader().getRevision(), items);
  }

  @Override
  public Listing list(String prefix) throws DatastoreException {
    GetResponse response =
        await(
            client.getKVClient().get(bytes(prefix), GetOption.builder().isPrefix(true).build()),
            LIST_DEADLINE,
            "listing " + prefix);
    List<KeyValue> items = new ArrayList<>(response.getKvs().size());
    response.getKvs().forEach(item -> items.add(toKeyValue(item)));
    return new Listing(response.getHeader().getRevision(), items);
  }

  @Override
  public CommitResult commit(Txn txn) throws DatastoreException {
    Cmp[] comparisons =
        txn.conditions().stream().map(EtcdDatastore::comparison).toArray(Cmp[]::new);
    Op[] writes = txn.writes().stream().map(EtcdDatastore::write).toArray(Op[]::new);
    Op[] reads =
        txn.conditions().stream()
            .map(Txn.Condition::key)
            .distinct()
            .map(EtcdDatastore::read)
            .toArray(Op[]::new);
    TxnResponse response =
        await(
            client.getKVClient().txn().If(comparisons).Then(writes).Else(reads).commit(),
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
    return EtcdWatch.start(
        client.getWatchClient(), executor, endpoints, prefix, fromRevision, listener);
  }

  @Override
  public void close() {
    client.close();
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
    };
  }

  private static Op write(Txn.Write write) {
    return switch (write) {
      case Txn.Write.Put(String key, String value) ->
          Op.put(bytes(key), bytes(value), PutOption.DEFAULT);
      case Txn.Write.Delete(String key) -> Op.delete(bytes(key), DeleteOption.DEFAULT);
    };
  }

  private static Op read(String key) {
    return Op.get(bytes(key), GetOption.DEFAULT);
  }

  private <T> T await(CompletableFuture<T> call, Duration limit, String doing)
      throws DatastoreException {
    try {
      return call.get(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException failed) {
      throw EtcdFailures.of(failed, endpoints, doing);
    } catch (TimeoutException late) {
      call.cancel(true);
      throw new DatastoreException(
          DatastoreException.Kind.DEADLINE,
          endpoints,
          doing + " got no answer in " + limit.toMillis() + " ms",
          late);
    } catch (InterruptedException stop) {
      call.cancel(true);
      Thread.currentThread().interrupt();
      throw new DatastoreException(
          DatastoreException.Kind.DEADLINE, endpoints, doing + " was interrupted", stop);
    }
  }

  static KeyValue toKeyValue(io.etcd.jetcd.KeyValue item) {
    return new KeyValue(
        item.getKey().toString(UTF_8), item.getValue().toString(UTF_8), item.getModRevision());
  }

  static ByteSequence bytes(String text) {
    return ByteSequence.from(text, UTF_8);
  }
}
