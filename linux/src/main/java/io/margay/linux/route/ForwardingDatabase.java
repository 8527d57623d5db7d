package io.margay.linux.route;

import static io.margay.linux.netlink.NetlinkMessage.CREATE;
import static io.margay.linux.netlink.NetlinkMessage.REPLACE;

import io.margay.linux.Errno;
import io.margay.linux.LinuxException;
import io.margay.linux.NetlinkException;
import io.margay.linux.netlink.Attribute;
import io.margay.linux.netlink.Attributes;
import io.margay.linux.netlink.MessageBuilder;
import io.margay.linux.netlink.NetlinkMessage;
import io.margay.linux.netlink.NetlinkSocket;
import io.margay.model.net.IpAddress;
import io.margay.model.net.MacAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The forwarding entries of VXLAN devices: what `bridge fdb` shows with `self`
/// (`linux/neighbour.h` under AF_BRIDGE).
public final class ForwardingDatabase {

  private static final int AF_BRIDGE = 7;
  private static final int NUD_PERMANENT = 0x80;
  private static final int NTF_SELF = 0x02;

  private final NetlinkSocket socket;

  ForwardingDatabase(NetlinkSocket socket) {
    this.socket = socket;
  }

  /// Sets a permanent entry, whatever the device had for the MAC address before.
  public void replace(ForwardingEntry entry) throws LinuxException {
    socket.request(message(Rtnl.NEWNEIGH, CREATE | REPLACE, "set forwarding entry", entry).build());
  }

  /// @return whether it was there
  public boolean delete(ForwardingEntry entry) throws LinuxException {
    try {
      socket.request(message(Rtnl.DELNEIGH, 0, "delete forwarding entry", entry).build());
      return true;
    } catch (NetlinkException e) {
      if (e.is(Errno.ENOENT) || Link.isAbsent(e)) {
        return false;
      }
      throw e;
    }
  }

  /// `struct ndmsg`: family, padding, index, state, flags, type.
  private static MessageBuilder message(
      int type, int flags, String operation, ForwardingEntry entry) {
    return new MessageBuilder(type, flags, operation, entry)
        .u8(AF_BRIDGE)
        .u8(0)
        .u16(0)
        .u32(entry.index())
        .u16(NUD_PERMANENT)
        .u8(NTF_SELF)
        .u8(0)
        .attr(Rtnl.NDA_LLADDR, entry.mac().toBytes())
        .attr(Rtnl.NDA_DST, entry.machine().toBytes());
  }

  /// The entries of one VXLAN device.
  public List<ForwardingEntry> list(int index) throws LinuxException {
    NetlinkMessage question =
        new MessageBuilder(Rtnl.GETNEIGH, 0, "list forwarding entries of link", index)
            .u8(AF_BRIDGE)
            .u8(0)
            .u16(0)
            .u32(index)
            .u32(0)
            .build();
    List<ForwardingEntry> entries = new ArrayList<>();
    for (NetlinkMessage message : socket.dump(question)) {
      Attributes attributes = message.attributes(Rtnl.NDMSG_OCTETS);
      Optional<Attribute> mac = attributes.find(Rtnl.NDA_LLADDR);
      Optional<Attribute> machine = attributes.find(Rtnl.NDA_DST);
      // Multicast addresses the device itself listens to have no machine.
      if (message.u32(4) == index
          && mac.filter(a -> a.length() == 6).isPresent()
          && machine.isPresent()) {
        entries.add(
            new ForwardingEntry(
                index,
                MacAddress.of(mac.get().bytes()),
                IpAddress.of(machine.get().bytes()),
                (message.u16(8) & NUD_PERMANENT) != 0));
      }
    }
    return entries;
  }
}
