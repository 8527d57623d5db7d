package io.margay.datastore.etcd;

import io.margay.datastore.DatastoreException;
import io.margay.datastore.DatastoreSettings;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/// Waits for single calls, within a limit.
///
/// @param settings the store as the user configured it
/// @param reconnection told of what comes of each
record EtcdCalls(DatastoreSettings settings, Reconnection reconnection) {

  String endpoints() {
    return settings.endpointText();
  }

  DatastoreException failure(Throwable failure, String doing) {
    return EtcdFailures.of(failure, settings, doing);
  }

  /// A call that is waited for later.
  ///
  /// @param call makes the call; may be refused at once
  static <T> CompletableFuture<T> begin(Supplier<CompletableFuture<T>> call) {
    try {
      return call.get();
    } catch (RuntimeException closedClient) {
      return CompletableFuture.failedFuture(closedClient);
    }
  }

  /// @param call as for [#begin]
  <T> T await(Supplier<CompletableFuture<T>> call, Duration limit, String doing)
      throws DatastoreException {
    CompletableFuture<T> running = begin(call);
    try {
      T answer = running.get(limit.toMillis(), TimeUnit.MILLISECONDS);
      reconnection.answered();
      return answer;
    } catch (ExecutionException failed) {
      DatastoreException failure = failure(failed, doing);
      if (failure.kind() == DatastoreException.Kind.UNREACHABLE) {
        reconnection.unreachable();
      }
      throw failure;
    } catch (TimeoutException late) {
      running.cancel(true);
      throw new DatastoreException(
          DatastoreException.Kind.DEADLINE,
          endpoints(),
          doing + " got no answer in " + limit.toMillis() + " ms",
          late);
    } catch (InterruptedException stop) {
      running.cancel(true);
      Thread.currentThread().interrupt();
      throw new DatastoreException(
          DatastoreException.Kind.DEADLINE, endpoints(), doing + " was interrupted", stop);
    }
  }

  /// A call that may be made twice: another endpoint is asked, once, when the first was broken.
  <T> T awaitRead(Supplier<CompletableFuture<T>> call, Duration limit, String doing)
      throws DatastoreException {
    try {
      return await(call, limit, doing);
    } catch (DatastoreException first) {
      if (!isWorthAnother(first.kind()) || Thread.currentThread().isInterrupted()) {
        throw first;
      }
      try {
        return await(call, limit, doing);
      } catch (DatastoreException second) {
        second.addSuppressed(first);
        throw second;
      }
    }
  }

  private boolean isWorthAnother(DatastoreException.Kind kind) {
    return kind == DatastoreException.Kind.UNREACHABLE
        || (settings.endpoints().size() > 1 && kind == DatastoreException.Kind.DEADLINE);
  }
}
