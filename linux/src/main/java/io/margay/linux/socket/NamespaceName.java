package io.margay.linux.socket;

import io.margay.linux.Errno;
import io.margay.linux.LibC;
import io.margay.linux.LinuxException;
import io.margay.linux.NativeBuffer;
import io.margay.linux.netlink.Attribute;
import io.margay.linux.netlink.Attributes;
import io.margay.linux.netlink.MessageBuilder;
import io.margay.linux.netlink.NetlinkMessage;
import io.margay.linux.netlink.NetlinkSocket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;

/// A name that one process of a network namespace holds: an abstract Unix address that it is bound
/// to. The kernel keeps these names by network namespace, whatever the mount namespace and the
/// directories of those who ask, and gives one back when its holder ends, however it ends.
///
/// Anybody may take one, root or not: whoever is refused asks [#ownerOf].
public final class NamespaceName implements AutoCloseable {

  // linux/netlink.h, sock_diag.h and unix_diag.h.
  private static final int NETLINK_SOCK_DIAG = 4;
  private static final int SOCK_DIAG_BY_FAMILY = 20;
  private static final int EVERY_STATE = -1;
  private static final int UDIAG_SHOW_NAME = 1;
  private static final int UDIAG_SHOW_UID = 0x40;
  private static final int UNIX_DIAG_MSG_OCTETS = 16;
  private static final int UNIX_DIAG_NAME = 0;
  private static final int UNIX_DIAG_UID = 7;

  private final OwnedFd socket;

  private NamespaceName(OwnedFd socket) {
    this.socket = socket;
  }

  /// Takes the name in the calling thread's network namespace.
  ///
  /// @return empty when somebody holds it
  public static Optional<NamespaceName> take(String name) throws LinuxException {
    NativeBuffer address = LibC.abstractUnixAddress(name);
    OwnedFd socket = OwnedFd.of(LibC.socket(LibC.AF_UNIX, LibC.SOCK_DGRAM | LibC.SOCK_CLOEXEC, 0));
    try {
      LibC.bind(socket.number(), address, address.size());
      return Optional.of(new NamespaceName(socket));
    } catch (LinuxException refused) {
      socket.close();
      if (refused.is(Errno.EADDRINUSE)) {
        return Optional.empty();
      }
      throw new LinuxException("bind", "abstract Unix address @" + name, refused.errno());
    }
  }

  /// The user whose socket holds the name in the calling thread's network namespace.
  ///
  /// @return empty when nobody holds it, or this kernel can't tell
  public static OptionalInt ownerOf(String name) throws LinuxException {
    byte[] wanted = ("\0" + name).getBytes(StandardCharsets.UTF_8);
    NetlinkMessage question =
        new MessageBuilder(SOCK_DIAG_BY_FAMILY, 0, "list", "Unix sockets")
            .u8(LibC.AF_UNIX)
            .u8(0)
            .u16(0)
            .u32(EVERY_STATE)
            .u32(0)
            .u32(UDIAG_SHOW_NAME | UDIAG_SHOW_UID)
            .u32(0)
            .u32(0)
            .build();
    try (NetlinkSocket diagnosis = NetlinkSocket.open(NETLINK_SOCK_DIAG)) {
      for (NetlinkMessage answer : diagnosis.dump(question)) {
        Attributes attributes = answer.attributes(UNIX_DIAG_MSG_OCTETS);
        Optional<Attribute> found = attributes.find(UNIX_DIAG_NAME);
        Optional<Attribute> user = attributes.find(UNIX_DIAG_UID);
        if (found.isPresent() && user.isPresent() && Arrays.equals(found.get().bytes(), wanted)) {
          return OptionalInt.of(user.get().u32());
        }
      }
      return OptionalInt.empty();
    } catch (LinuxException refused) {
      if (refused.is(Errno.ENOENT)) {
        return OptionalInt.empty(); // a kernel without CONFIG_UNIX_DIAG
      }
      throw refused;
    }
  }

  @Override
  public void close() {
    socket.close();
  }
}
