package io.margay.linux;

import java.io.IOException;

/// The kernel refused a call. The message names the operation, the object and the error number;
/// what happens next is the caller's to decide and to say.
public class LinuxException extends IOException {

  private static final long serialVersionUID = 1L;

  private final String operation;
  private final String object;
  private final int errno;

  /// @param operation what was tried, a verb: `open`, `replace route`
  /// @param object on what: a path, an interface, a prefix
  public LinuxException(String operation, String object, Errno errno) {
    this(operation, object, errno, operation + " " + object + ": " + errno);
  }

  LinuxException(String operation, String object, Errno errno, String message) {
    super(message);
    this.operation = operation;
    this.object = object;
    this.errno = errno.code();
  }

  public String operation() {
    return operation;
  }

  public String object() {
    return object;
  }

  public Errno errno() {
    return new Errno(errno);
  }

  /// Whether this is the error number `other`.
  public boolean is(Errno other) {
    return errno == other.code();
  }
}
