package io.margay.cni;

import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/// Whoever works on a container's attachments holds its lock: runtimes' requests, garbage
/// collection, repeated releases and self-reclaim alike. What the journal says of an attachment is
/// read under the lock; read before, it may be an earlier one's.
final class ContainerLocks {

  /// How long a request waits for an earlier one about the same container.
  static final int PATIENCE_SECONDS = 30;

  private static final int LOCKS = 256;

  private final ReentrantLock[] locks = new ReentrantLock[LOCKS];

  ContainerLocks() {
    for (int i = 0; i < LOCKS; i++) {
      locks[i] = new ReentrantLock();
    }
  }

  /// A lock that is held until it is closed, by the same thread.
  interface Held extends AutoCloseable {
    @Override
    void close();
  }

  /// Waits for an earlier request about the same container.
  ///
  /// @throws CniException 11 when that takes too long
  Held take(AttachmentId id) throws CniException {
    ReentrantLock lock = of(id);
    try {
      if (lock.tryLock(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        return lock::unlock;
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
    throw new CniException(
        CniError.TRY_LATER,
        "an earlier request about container " + id.containerId() + " is still in progress");
  }

  /// For work that can be put off: empty while somebody else works on the container.
  Optional<Held> takeIfFree(AttachmentId id) {
    ReentrantLock lock = of(id);
    return lock.tryLock() ? Optional.of(lock::unlock) : Optional.empty();
  }

  private ReentrantLock of(AttachmentId id) {
    return locks[Math.floorMod(id.containerId().hashCode(), LOCKS)];
  }
}
