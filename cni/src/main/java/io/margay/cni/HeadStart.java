package io.margay.cni;

import io.margay.cni.journal.Attachment;
import io.margay.cni.spec.CniException;
import io.margay.linux.socket.OwnedFd;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/// Begins wires on a thread of its own while their addresses are still being asked for. One thread:
/// the kernel makes one link at a time. As many wait as there are requests at work.
final class HeadStart {

  private static final int IDLE_SECONDS = 30;

  private final PodNetwork network;
  private final ThreadPoolExecutor thread;

  HeadStart(PodNetwork network) {
    this.network = network;
    thread =
        new ThreadPoolExecutor(
            1,
            1,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            Thread.ofPlatform().daemon().name("cni-wire").factory());
    thread.allowCoreThreadTimeOut(true);
  }

  /// @param podNetns stays open until the wire is awaited or given up
  Begun begin(Attachment attachment, OwnedFd podNetns) {
    CompletableFuture<PodNetwork.Wire> wire = new CompletableFuture<>();
    thread.execute(
        () -> {
          try {
            wire.complete(network.begin(attachment, podNetns));
          } catch (CniException | RuntimeException | Error failure) {
            wire.completeExceptionally(failure);
          }
        });
    return new Begun(wire);
  }

  /// A wire that is being begun. Closing waits until nobody works on it any more, whatever came of
  /// it.
  record Begun(CompletableFuture<PodNetwork.Wire> wire) implements AutoCloseable {

    /// @throws CniException as [PodNetwork#begin]
    PodNetwork.Wire await() throws CniException {
      try {
        return wire.join();
      } catch (CompletionException failure) {
        if (failure.getCause() instanceof CniException refused) {
          throw refused;
        }
        throw failure;
      }
    }

    @Override
    public void close() {
      try {
        wire.join();
      } catch (CompletionException | CancellationException failed) {
        // Whoever awaited it has heard.
      }
    }
  }
}
