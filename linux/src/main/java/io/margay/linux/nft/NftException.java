package io.margay.linux.nft;

/// The kernel refused a transaction or a dump; nothing of it took effect.
public final class NftException extends Exception {

  /// EPERM: the table belongs to another living process (or we lack CAP_NET_ADMIN).
  public static final int EPERM = 1;

  public static final int ENOENT = 2;
  public static final int EINTR = 4;
  public static final int EBUSY = 16;
  public static final int EEXIST = 17;
  public static final int EINVAL = 22;

  private final int errno;

  /// @param message what was refused, on which object, and why
  /// @param errno the kernel's error number (positive), 0 if the failure is not the kernel's
  public NftException(String message, int errno) {
    super(message);
    this.errno = errno;
  }

  public NftException(String message, int errno, Throwable cause) {
    super(message, cause);
    this.errno = errno;
  }

  /// The kernel's error number, positive; 0 if the failure is not the kernel's.
  public int errno() {
    return errno;
  }
}
