package io.margay.linux.conntrack;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.util.function.Predicate;

/// A tracked connection by its first packet, and a handle by which it can be forgotten.
///
/// @param protocol IP protocol number
/// @param source who sent its first packet
/// @param sourcePort 0 for protocols without ports
/// @param destination whom that was sent to
/// @param destinationPort 0 for protocols without ports
/// @param answerer who answers: another than `destination` where it was led elsewhere
/// @param answererPort 0 for protocols without ports
/// @param answersTo whom answers are sent to: another than `source` where it was given a new one
/// @param answersToPort 0 for protocols without ports
/// @param icmpType of ICMP's first packet, else 0
/// @param icmpCode of ICMP's first packet, else 0
/// @param isExpected whether another connection announced it, as FTP's control connection does its
///   data connections; its first packet counted as that one's relative
/// @param isAssured whether packets went both ways, and for TCP whether its handshake was completed
/// @param isPickedUp whether the kernel saw it in its middle first (TCP), so that `source` is who
///   sent then, and nobody knows who began it
/// @param handle by which the kernel knows it
public record Connection(
    int protocol,
    IpAddress source,
    int sourcePort,
    IpAddress destination,
    int destinationPort,
    IpAddress answerer,
    int answererPort,
    IpAddress answersTo,
    int answersToPort,
    int icmpType,
    int icmpCode,
    boolean isExpected,
    boolean isAssured,
    boolean isPickedUp,
    Handle handle) {

  /// What the kernel wants to be told to forget it: parts of its own answer.
  static final class Handle {
    final byte[] originalTuple;
    final byte[] id;
    final byte[] zone;

    /// @param zone empty for the default zone
    Handle(byte[] originalTuple, byte[] id, byte[] zone) {
      this.originalTuple = originalTuple;
      this.id = id;
      this.zone = zone;
    }
  }

  public IpFamily family() {
    return source.family();
  }

  /// Whether one of the addresses it knows, before or after translation, is such a one.
  public boolean touches(Predicate<IpAddress> which) {
    return which.test(source)
        || which.test(answerer)
        || which.test(destination)
        || which.test(answersTo);
  }
}
