package io.margay.linux;

/// A netlink request failed: refused by the kernel, answered with something malformed, or its
/// answer lost.
public final class NetlinkException extends LinuxException {

  private static final long serialVersionUID = 1L;

  private final String extAck;

  /// @param extAck the kernel's own words (NLMSGERR_ATTR_MSG) or ours for a malformed answer; empty
  ///   when there are none
  public NetlinkException(String operation, String object, Errno errno, String extAck) {
    super(
        operation,
        object,
        errno,
        operation + " " + object + ": " + errno + (extAck.isEmpty() ? "" : " (" + extAck + ")"));
    this.extAck = extAck;
  }

  /// The kernel's explanation, or an empty text.
  public String extAck() {
    return extAck;
  }
}
