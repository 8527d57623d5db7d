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
import org.jspecify.annotations.Nullable;

/// One watch that ends at the first trouble.
///
/// The client library would resume by itself, but from the wrong revision: if the connection dies
/// between the server's "created" and the first events, it resumes from the present and those
/// events are lost. So its first error ends the watch, and whoever asked watches again from what it
/// has really seen.
final class EtcdWatch implements Watch, io.etcd.jetcd.Watch.Listener {

  private final Executor executor;
  private final String endpoints;
  private final String prefix;
  private final long fromRevision;
  private final WatchListener listener;
  private final AtomicBoolean over = new AtomicBoolean();
  private io.etcd.jetcd.Watch.@Nullable Watcher watcher;

  private EtcdWatch(
      Executor executor,
      String endpoints,
      String prefix,
      long fromRevision,
      WatchListener listener) {
    this.executor = executor;
    this.endpoints = endpoints;
    this.prefix = prefix;
    this.fromRevision = fromRevision;
    this.listener = listener;
  }

  static EtcdWatch start(
      io.etcd.jetcd.Watch client,
      Executor executor,
      String endpoints,
      String prefix,
      long fromRevision,
      WatchListener listener) {
    EtcdWatch watch = new EtcdWatch(executor, endpoints, prefix, fromRevision, listener);
    WatchOption option =
        WatchOption.builder()
            .isPrefix(true)
            .withRevision(fromRevision)
            .withProgressNotify(true)
            .withCreateNotify(true)
            .withRequireLeader(true)
            .build();
    try {
      watch.opened(client.watch(EtcdDatastore.bytes(prefix), option, watch));
    } catch (RuntimeException closedClient) {
      watch.onError(closedClient);
    }
    return watch;
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
      listener.onStarted(response.getHeader().getRevision());
    }
    List<Change> changes = new ArrayList<>(response.getEvents().size());
    for (WatchEvent event : response.getEvents()) {
      // After a cut the library may repeat what is older than asked for.
      if (event.getKeyValue().getModRevision() >= fromRevision) {
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
          throw new IllegalStateException("etcd sent an unknown event on " + prefix);
    }
  }

  @Override
  public void onError(Throwable failure) {
    end(
        failure instanceof CompactedException compacted
            ? new WatchEnd.Compacted(compacted.getCompactedRevision())
            : new WatchEnd.Failed(EtcdFailures.of(failure, endpoints, "watching " + prefix)));
  }

  @Override
  public void onCompleted() {
    end(
        new WatchEnd.Failed(
            new DatastoreException(
                DatastoreException.Kind.UNREACHABLE,
                endpoints,
                "the watch of " + prefix + " was ended by the store")));
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
    io.etcd.jetcd.Watch.Watcher opened = watcher;
    if (opened != null) {
      executor.execute(opened::close);
    }
  }
}
