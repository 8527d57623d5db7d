package io.margay.bgp.speaker;

import io.margay.bgp.transport.Dial;
import io.margay.bgp.transport.ExpectedPeer;
import io.margay.bgp.transport.Md5Drops;
import io.margay.model.net.ScopedAddress;
import java.util.Collection;
import java.util.Map;
import java.util.function.Consumer;

/// Where connections come from. On the loop of the sessions only.
interface Network {

  /// A connection attempt that has not been answered.
  interface Attempt {

    /// Gives it up: nobody is called any more.
    void cancel();
  }

  /// Begins to connect; one of both is called later, on the loop.
  ///
  /// @param refused told the cause, for people
  Attempt connect(Dial dial, Consumer<Wire> connected, Consumer<String> refused);

  /// The peers whose connections are let in, all of them.
  ///
  /// @return peers that are not let in, because the kernel refuses their password, and why
  Map<ExpectedPeer, String> expect(Collection<ExpectedPeer> peers);

  /// Segments the kernel dropped so far because of their signature.
  Md5Drops md5Drops();

  /// What this node has on the link that an address of it is on.
  LocalLink link(ScopedAddress own);
}
