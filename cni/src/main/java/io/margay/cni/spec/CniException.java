package io.margay.cni.spec;

/// A request that ends in a CNI error object. Every caller must undo what it did before it passes
/// this on.
public final class CniException extends Exception {

  private static final long serialVersionUID = 1L;

  private final transient CniError error;

  public CniException(CniError error) {
    super(error.msg());
    this.error = error;
  }

  public CniException(int code, String msg) {
    this(new CniError(code, msg));
  }

  public CniException(int code, String msg, Throwable cause) {
    super(msg, cause);
    this.error = new CniError(code, msg, String.valueOf(cause.getMessage()));
  }

  public CniError error() {
    return error;
  }
}
