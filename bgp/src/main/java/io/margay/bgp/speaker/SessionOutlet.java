package io.margay.bgp.speaker;

import io.margay.bgp.fsm.SessionState;
import io.margay.model.net.ScopedAddress;
import io.netty.buffer.ByteBuf;

/// Hands batches of the RIB over to the loop of a connection, as long as its session is up.
record SessionOutlet(ScopedAddress peer, PeerConnection connection, PeerHost host)
    implements Outlet {

  @Override
  public void send(ByteBuf messages, int count) {
    host.clock().execute(() -> onLoop(messages, count));
  }

  private void onLoop(ByteBuf messages, int count) {
    if (connection.state() instanceof SessionState.Established) {
      connection.send(messages, count, () -> host.rib().postWritten(peer, this));
    } else {
      messages.release();
    }
  }
}
