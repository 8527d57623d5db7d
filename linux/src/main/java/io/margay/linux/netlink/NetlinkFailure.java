package io.margay.linux.netlink;

import io.margay.linux.Errno;
import io.margay.linux.NetlinkException;

/// One message of a batch that the kernel refused.
///
/// @param index its place in the batch
/// @param message the message itself
/// @param errno why
/// @param extAck the kernel's own words, or an empty text
public record NetlinkFailure(int index, NetlinkMessage message, Errno errno, String extAck) {

  public NetlinkException toException() {
    return new NetlinkException(message.operation(), message.object().toString(), errno, extAck);
  }

  @Override
  public String toString() {
    return message + ": " + errno + (extAck.isEmpty() ? "" : " (" + extAck + ")");
  }
}
