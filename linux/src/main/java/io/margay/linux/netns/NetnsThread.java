package io.margay.linux.netns;

import io.margay.linux.LibC;
import io.margay.linux.LinuxException;
import org.jspecify.annotations.Nullable;

/// A platform thread that enters a namespace, makes its calls and dies there. It must never be
/// pooled, nor a virtual thread: that would move the carrier.
final class NetnsThread<T> {

  private final Thread thread;
  private @Nullable T value;
  private @Nullable Throwable failure;

  NetnsThread(int netnsFd, Netns.Call<T> call) {
    thread =
        Thread.ofPlatform()
            .name("netns")
            .daemon()
            .unstarted(
                () -> {
                  try {
                    LibC.setns(netnsFd, LibC.CLONE_NEWNET);
                    value = call.call();
                  } catch (LinuxException | RuntimeException | Error e) {
                    failure = e;
                  }
                });
  }

  void start() {
    thread.start();
  }

  /// Waits for the thread's end. Its calls are system calls that do not block for long, so an
  /// interruption is remembered, not obeyed: leaving would leave the call's outcome unknown.
  T result() throws LinuxException {
    boolean interrupted = false;
    while (true) {
      try {
        thread.join();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    switch (failure) {
      case null -> {}
      case LinuxException e -> throw e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case Throwable e -> throw new IllegalStateException(e);
    }
    if (value == null) {
      throw new IllegalStateException("a call inside a namespace answered null");
    }
    return value;
  }
}
