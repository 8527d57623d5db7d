package io.margay.datastore.etcd;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.etcd.jetcd.common.exception.CompactedException;
import io.etcd.jetcd.options.WatchOption;
import io.etcd.jetcd.watch.WatchEvent;
import io.etcd.jetcd.watch.WatchResponse;
import io.margay.datastore.Change;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.Watch;
import io.margay.datastore.WatchListener;
import io.margay.datastore.WatchListener.WatchEnd;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One watch that ends at the first trouble.
///
/// The client library would resume by itself, but from the wrong revision: if the connection dies
/// between the server's "created" and the first events, it resumes from the present and those
/// events are lost. So its first error ends the watch, and whoever asked watches again from what it
/// has really seen.
final class EtcdWatch implements Watch, io.etcd.jetcd.Watch.Listener {

  private final Executor executor;
  private final EtcdCalls calls;
  private final Range range;
  private final WatchListener listener;
  private final Consumer<EtcdWatch> whenOver;
  private final AtomicBoolean over = new AtomicBoolean();
  private io.etcd.jetcd.Watch.@Nullable Watcher watcher;

  /// What is watched, and from where.
  record Range(String prefix, long fromRevision) {}

  EtcdWatch(
      Executor executor,
      EtcdCalls calls,
      Range range,
      WatchListener listener,
      Consumer<EtcdWatch> whenOver) {
    this.executor = executor;
    this.calls = calls;
    this.range = range;
    this.listener = listener;
    this.whenOver = whenOver;
  }

  void start(io.etcd.jetcd.Watch client) {
    WatchOption option =
        WatchOption.builder()
            .isPrefix(true)
            .withRevision(range.fromRevision)
            .withProgressNotify(true)
            .withCreateNotify(true)
            .withRequireLeader(true)
            .build();
    try {
      opened(client.watch(EtcdDatastore.bytes(range.prefix), option, this));
    } catch (RuntimeException closedClient) {
      onError(closedClient);
    }
  }

  private synchronized void opened(io.etcd.jetcd.Watch.Watcher opened) {
    watcher = opened;
    if (over.get()) {
      executor.execute(opened::close);
    }
  }

  @Override
  public void onNext(WatchResponse response) {
    if (over.get()) {
      return;
    }
    if (response.isCreatedNotify()) {
      listener.onStarted(
          EtcdDatastore.storeOf(response.getHeader()), response.getHeader().getRevision());
    }
    List<Change> changes = new ArrayList<>(response.getEvents().size());
    for (WatchEvent event : response.getEvents()) {
      // After a cut the library may repeat what is older than asked for.
      if (event.getKeyValue().getModRevision() >= range.fromRevision) {
        toChange(event, changes);
      }
    }
    if (!changes.isEmpty()) {
      listener.onChanges(changes);
    } else if (response.isProgressNotify() && !response.isCreatedNotify()) {
      listener.onProgress(response.getHeader().getRevision());
    }
  }

  private void toChange(WatchEvent event, List<Change> changes) {
    switch (event.getEventType()) {
      case PUT -> changes.add(new Change.Put(EtcdDatastore.toKeyValue(event.getKeyValue())));
      case DELETE ->
          changes.add(
              new Change.Delete(
                  event.getKeyValue().getKey().toString(UTF_8),
                  event.getKeyValue().getModRevision()));
      case UNRECOGNIZED ->
          throw new IllegalStateException("etcd sent an unknown event on " + range.prefix);
    }
  }

  @Override
  public void onError(Throwable failure) {
    end(
        failure instanceof CompactedException compacted
            ? new WatchEnd.Compacted(compacted.getCompactedRevision())
            : new WatchEnd.Failed(calls.failure(failure, "watching " + range.prefix)));
  }

  @Override
  public void onCompleted() {
    end(
        new WatchEnd.Failed(
            new DatastoreException(
                DatastoreException.Kind.UNREACHABLE,
                calls.endpoints(),
                "the watch of " + range.prefix + " was ended by the store")));
  }

  /// The connection is to be given up although nothing is wrong.
  void move() {
    end(new WatchEnd.Moved());
  }

  private void end(WatchEnd end) {
    if (over.compareAndSet(false, true)) {
      stopLibrary();
      listener.onEnd(end);
    }
  }

  @Override
  public void close() {
    if (over.compareAndSet(false, true)) {
      stopLibrary();
    }
  }

  /// Never on the caller's thread: it may be the client's event loop, which must not wait.
  private synchronized void stopLibrary() {
    whenOver.accept(this);
    io.etcd.jetcd.Watch.Watcher opened = watcher;
    if (opened != null) {
      executor.execute(opened::close);
    }
  }
}
