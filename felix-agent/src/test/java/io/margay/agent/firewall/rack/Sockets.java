package io.margay.agent.firewall.rack;

import io.margay.linux.Errno;
import io.margay.linux.LibC;
import io.margay.linux.LinuxException;
import io.margay.linux.NativeBuffer;
import java.util.function.IntConsumer;

/// Reads what sockets hold.
final class Sockets {

  private Sockets() {}

  /// Hands over the numbers of all packets of ours that wait. Does not wait itself.
  static void drain(int socket, NativeBuffer in, IntConsumer ids) throws LinuxException {
    while (true) {
      int length;
      try {
        length = LibC.recv(socket, in, LibC.MSG_DONTWAIT);
      } catch (LinuxException none) {
        if (none.is(Errno.EAGAIN)) {
          return;
        }
        throw none;
      }
      int id = Frames.idOf(in.bytes(), length);
      if (id >= 0) {
        ids.accept(id);
      }
    }
  }
}
