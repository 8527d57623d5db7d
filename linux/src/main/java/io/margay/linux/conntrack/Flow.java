package io.margay.linux.conntrack;

import io.margay.model.net.IpAddress;

/// A tracked connection, as far as it tells where it leads.
///
/// @param protocol IP protocol number
/// @param destination whom its first packet was sent to
/// @param destinationPort the port of that
/// @param answerer who answers: another than `destination` where the connection was led elsewhere
/// @param answererPort the port of that
public record Flow(
    int protocol,
    IpAddress destination,
    int destinationPort,
    IpAddress answerer,
    int answererPort) {

  /// Whether it goes where it was sent to.
  public boolean isUntranslated() {
    return destination.equals(answerer) && destinationPort == answererPort;
  }
}
