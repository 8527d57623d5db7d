package io.margay.bgp.speaker;

import io.margay.bgp.message.Update;
import java.util.List;

/// Where the messages of one session leave. One batch is under way at a time; {@link
/// RibLoop#postWritten} asks for the next.
interface Outlet {
  void send(List<Update> updates);
}
