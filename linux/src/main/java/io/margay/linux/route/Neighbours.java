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
import io.margay.model.net.IpFamily;
import io.margay.model.net.MacAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The permanent neighbour entries of one namespace.
public final class Neighbours {

  private static final int NUD_PERMANENT = 0x80;

  private final NetlinkSocket socket;

  Neighbours(NetlinkSocket socket) {
    this.socket = socket;
  }

  /// Sets a permanent entry, whatever the kernel has learned before.
  public void replace(Neighbour neighbour) throws LinuxException {
    socket.request(replaced(neighbour));
  }

  static NetlinkMessage replaced(Neighbour neighbour) {
    return message(Rtnl.NEWNEIGH, CREATE | REPLACE, "set neighbour", neighbour)
        .attr(Rtnl.NDA_LLADDR, neighbour.mac().toBytes())
        .build();
  }

  /// @return whether it was there
  public boolean delete(Neighbour neighbour) throws LinuxException {
    try {
      socket.request(message(Rtnl.DELNEIGH, 0, "delete neighbour", neighbour).build());
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
      int type, int flags, String operation, Neighbour neighbour) {
    return new MessageBuilder(type, flags, operation, neighbour)
        .u8(Rtnl.familyCode(neighbour.address().family()))
        .u8(0)
        .u16(0)
        .u32(neighbour.index())
        .u16(NUD_PERMANENT)
        .u8(0)
        .u8(0)
        .attr(Rtnl.NDA_DST, neighbour.address().toBytes());
  }

  /// The permanent entries of a family, on all devices.
  public List<Neighbour> listPermanent(IpFamily family) throws LinuxException {
    NetlinkMessage question =
        new MessageBuilder(Rtnl.GETNEIGH, 0, "list", "neighbours")
            .u8(Rtnl.familyCode(family))
            .u8(0)
            .u16(0)
            .u32(0)
            .u32(0)
            .build();
    List<Neighbour> neighbours = new ArrayList<>();
    for (NetlinkMessage message : socket.dump(question)) {
      Attributes attributes = message.attributes(Rtnl.NDMSG_OCTETS);
      Optional<Attribute> address = attributes.find(Rtnl.NDA_DST);
      Optional<Attribute> mac = attributes.find(Rtnl.NDA_LLADDR);
      if ((message.u16(8) & NUD_PERMANENT) == 0 || address.isEmpty() || mac.isEmpty()) {
        continue;
      }
      if (address.get().length() == family.octets() && mac.get().length() == 6) {
        neighbours.add(
            new Neighbour(
                message.u32(4),
                IpAddress.of(address.get().bytes()),
                MacAddress.of(mac.get().bytes())));
      }
    }
    return neighbours;
  }
}
