package io.margay.bgp.speaker;

import io.margay.bgp.fsm.SessionState;
import io.margay.model.net.ScopedAddress;
import io.netty.buffer.ByteBuf;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Hands batches of the RIB over to the loop of a connection, as long as its session is up.
///
/// @param wire of that session: the next one of the same connection has another, and is told the
///   whole table anew
record SessionOutlet(
    ScopedAddress peer, PeerConnection connection, @Nullable Wire wire, PeerHost host)
    implements Outlet {

  @Override
  public void send(ByteBuf messages, int count) {
    host.clock().execute(() -> onLoop(messages, count));
  }

  private void onLoop(ByteBuf messages, int count) {
    if (connection.state() instanceof SessionState.Established
        && Objects.equals(connection.wire(), wire)) {
      connection.send(messages, count, () -> host.rib().postWritten(peer, this));
    } else {
      messages.release();
    }
  }
}
