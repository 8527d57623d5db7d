package io.margay.bgp.speaker;

import io.margay.bgp.transport.Dial;
import io.margay.bgp.transport.Md5Drops;
import io.margay.model.net.ScopedAddress;
import java.util.function.Consumer;

/// Connection attempts to one peer, and what the kernel dropped of them. Lives on the loop of the
/// sessions.
final class Dialing {

  private final Network network;
  private final ScopedAddress peer;
  private Md5Drops dropsBefore = new Md5Drops(0, 0, 0);

  Dialing(Network network, ScopedAddress peer) {
    this.network = network;
    this.peer = peer;
  }

  Network.Attempt begin(Connection how, Consumer<Wire> connected, Consumer<String> refused) {
    dropsBefore = network.md5Drops();
    Dial dial =
        new Dial(
            peer, how.port(), how.localAddress(), how.ttl(), how.password(), Dial.DEFAULT_TIMEOUT);
    return network.connect(dial, connected, refused);
  }

  /// Wrong keys show as silence: segments dropped since the last attempt began may be the reason.
  /// For people, to be put behind a sentence; may be empty.
  String droppedMeanwhile() {
    String dropped = network.md5Drops().since(dropsBefore).reason();
    return dropped.isEmpty() ? "" : "; " + dropped;
  }
}
