package io.margay.bgp.speaker;

import io.margay.bgp.message.Keepalive;
import io.margay.bgp.message.Message;
import io.margay.bgp.message.Notification;
import io.margay.bgp.message.Open;
import io.margay.bgp.message.RouteRefresh;
import io.margay.bgp.message.Update;

/// How many messages of each type passed one way.
final class MessageCounts {

  private long opens;
  private long updates;
  private long notifications;
  private long keepalives;
  private long refreshes;

  void count(Message message) {
    switch (message) {
      case Open _ -> opens++;
      case Update _ -> updates++;
      case Notification _ -> notifications++;
      case Keepalive _ -> keepalives++;
      case RouteRefresh _ -> refreshes++;
    }
  }

  void countUpdates(int more) {
    updates += more;
  }

  PeerStatus.Messages snapshot() {
    return new PeerStatus.Messages(opens, updates, notifications, keepalives, refreshes);
  }
}
