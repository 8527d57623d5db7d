package io.margay.linux.socket;

import io.margay.linux.LibC;
import io.margay.linux.LinuxException;
import java.nio.file.Path;

/// A file descriptor with exactly one owner, who closes it. Closing twice is harmless; using it
/// after is a bug.
public final class OwnedFd implements AutoCloseable {

  private int number;

  private OwnedFd(int number) {
    this.number = number;
  }

  /// Takes over a descriptor that nobody else will close.
  public static OwnedFd of(int number) {
    if (number < 0) {
      throw new IllegalArgumentException("descriptor " + number);
    }
    return new OwnedFd(number);
  }

  /// Opens a file for reading, closed on exec.
  public static OwnedFd openForReading(Path path) throws LinuxException {
    return new OwnedFd(LibC.open(path.toString(), LibC.O_RDONLY | LibC.O_CLOEXEC));
  }

  /// The number to give to the kernel, valid until {@link #close}.
  public int number() {
    if (number < 0) {
      throw new IllegalStateException("the descriptor is closed");
    }
    return number;
  }

  @Override
  public void close() {
    if (number >= 0) {
      int open = number;
      number = -1;
      LibC.close(open);
    }
  }

  @Override
  public String toString() {
    return number < 0 ? "closed descriptor" : "descriptor " + number;
  }
}
