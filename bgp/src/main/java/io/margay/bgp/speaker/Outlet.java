package io.margay.bgp.speaker;

import io.netty.buffer.ByteBuf;

/// Where the messages of one session leave. Called on the `bgp-rib` thread.
interface Outlet {

  /// Takes over a buffer: writes and releases it, then calls {@link RibLoop#postWritten}. When the
  /// session is gone, releases it only.
  ///
  /// @param messages whole UPDATEs
  /// @param count how many
  void send(ByteBuf messages, int count);
}
