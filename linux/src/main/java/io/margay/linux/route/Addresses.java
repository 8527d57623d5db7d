package io.margay.linux.route;

import static io.margay.linux.netlink.NetlinkMessage.CREATE;
import static io.margay.linux.netlink.NetlinkMessage.EXCL;

import io.margay.linux.Errno;
import io.margay.linux.LinuxException;
import io.margay.linux.NetlinkException;
import io.margay.linux.netlink.Attribute;
import io.margay.linux.netlink.Attributes;
import io.margay.linux.netlink.MessageBuilder;
import io.margay.linux.netlink.NetlinkMessage;
import io.margay.linux.netlink.NetlinkSocket;
import io.margay.model.net.IpAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The addresses of one namespace.
public final class Addresses {

  private static final int IFA_F_NODAD = 0x02;
  private static final int IFA_F_TENTATIVE = 0x40;

  private final NetlinkSocket socket;

  Addresses(NetlinkSocket socket) {
    this.socket = socket;
  }

  /// Adds an address without duplicate address detection: it is ours by IPAM, and waiting for
  /// detection would cost IPv6 almost two seconds.
  ///
  /// @throws NetlinkException EEXIST when the device has it already
  public void add(Address address) throws LinuxException {
    socket.request(added(address));
  }

  static NetlinkMessage added(Address address) {
    return message(Rtnl.NEWADDR, CREATE | EXCL, "add address", address)
        .attrU32(Rtnl.IFA_FLAGS, IFA_F_NODAD)
        .build();
  }

  /// @return whether it was there
  public boolean delete(Address address) throws LinuxException {
    try {
      socket.request(message(Rtnl.DELADDR, 0, "delete address", address).build());
      return true;
    } catch (NetlinkException e) {
      if (e.is(Errno.EADDRNOTAVAIL) || Link.isAbsent(e)) {
        return false;
      }
      throw e;
    }
  }

  private static MessageBuilder message(int type, int flags, String operation, Address address) {
    byte[] octets = address.address().toBytes();
    return new MessageBuilder(type, flags, operation, address)
        .u8(Rtnl.familyCode(address.address().family()))
        .u8(address.prefixLength())
        .u8(0)
        .u8(address.scope().value())
        .u32(address.index())
        .attr(Rtnl.IFA_LOCAL, octets)
        .attr(Rtnl.IFA_ADDRESS, octets);
  }

  /// The addresses of both families.
  ///
  /// @param index of one device, or 0 for all
  public List<Address> list(int index) throws LinuxException {
    NetlinkMessage question =
        new MessageBuilder(Rtnl.GETADDR, 0, "list addresses of link", index)
            .u8(0)
            .u8(0)
            .u8(0)
            .u8(0)
            .u32(index)
            .build();
    List<Address> addresses = new ArrayList<>();
    for (NetlinkMessage message : socket.dump(question)) {
      if (message.type() == Rtnl.NEWADDR && (index == 0 || message.u32(4) == index)) {
        parse(message).ifPresent(addresses::add);
      }
    }
    return addresses;
  }

  private static Optional<Address> parse(NetlinkMessage message) throws NetlinkException {
    Attributes attributes = message.attributes(Rtnl.IFADDR_OCTETS);
    // On a point-to-point device IFA_ADDRESS is the other side; IFA_LOCAL, when there, is ours.
    Optional<Attribute> local = attributes.find(Rtnl.IFA_LOCAL);
    Optional<Attribute> value = local.isPresent() ? local : attributes.find(Rtnl.IFA_ADDRESS);
    int family = message.u8(0);
    if (value.isEmpty() || (family != 2 && family != 10)) {
      return Optional.empty();
    }
    int flags = attributes.u32(Rtnl.IFA_FLAGS, message.u8(2));
    try {
      return Optional.of(
          new Address(
              message.u32(4),
              IpAddress.of(value.get().bytes()),
              message.u8(1),
              new Scope(message.u8(3)),
              (flags & IFA_F_TENTATIVE) != 0));
    } catch (IllegalArgumentException e) {
      throw new NetlinkException(
          "read address",
          "on link " + message.u32(4),
          Errno.EBADMSG,
          String.valueOf(e.getMessage()));
    }
  }
}
