package io.margay.linux.route;

import io.margay.linux.Errno;
import io.margay.linux.LinuxException;
import io.margay.linux.NetlinkException;
import io.margay.linux.netlink.Attribute;
import io.margay.linux.netlink.Attributes;
import io.margay.linux.netlink.NetlinkMessage;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.MacAddress;
import java.util.Optional;
import java.util.OptionalInt;

/// A network device as the kernel reports it.
///
/// @param index its number within its namespace
/// @param name its present name
/// @param alias IFLA_IFALIAS, the mark by which we know our own; empty when none is set
/// @param kind `veth`, `bridge`...; empty for a physical device or the loopback
/// @param flags IFF_ flags of `linux/if.h`
/// @param mtu octets
/// @param mac empty for devices without a 48-bit address
/// @param group IFLA_GROUP; 0 is the default group
/// @param master index of the bridge, bond or VRF it belongs to; 0 for none
/// @param peerIndex index of the other end (IFLA_LINK) in the namespace it lives in; 0 for none
/// @param peerNetnsId this namespace's number for the namespace of the other end, when that is
///   another one (-1: one without a number here)
public record Link(
    int index,
    InterfaceName name,
    String alias,
    String kind,
    int flags,
    int mtu,
    Optional<MacAddress> mac,
    int group,
    int master,
    int peerIndex,
    OptionalInt peerNetnsId) {

  private static final int IFF_UP = 1;
  private static final int IFF_RUNNING = 0x40;

  /// Whether it is administratively up.
  public boolean isUp() {
    return (flags & IFF_UP) != 0;
  }

  /// Whether it can carry packets: for a veth, both ends are up.
  public boolean isRunning() {
    return (flags & IFF_RUNNING) != 0;
  }

  /// The same with its mark, and in the default group.
  Link marked(String newAlias) {
    return new Link(
        index, name, newAlias, kind, flags, mtu, mac, 0, master, peerIndex, peerNetnsId);
  }

  /// Reads an RTM_NEWLINK or RTM_DELLINK message: a dump's, an answer's, or a notification's.
  ///
  /// @throws NetlinkException when it is malformed
  public static Link parse(NetlinkMessage message) throws NetlinkException {
    Attributes attributes = message.attributes(Rtnl.IFINFO_OCTETS);
    int index = message.u32(4);
    String name = attributes.string(Rtnl.IFLA_IFNAME, "");
    Optional<Attribute> address = attributes.find(Rtnl.IFLA_ADDRESS);
    Optional<Attribute> info = attributes.find(Rtnl.IFLA_LINKINFO);
    Optional<Attribute> netns = attributes.find(Rtnl.IFLA_LINK_NETNSID);
    try {
      return new Link(
          index,
          new InterfaceName(name),
          attributes.string(Rtnl.IFLA_IFALIAS, ""),
          info.isPresent() ? info.get().nested().string(Rtnl.INFO_KIND, "") : "",
          message.u32(8),
          attributes.u32(Rtnl.IFLA_MTU, 0),
          address.filter(a -> a.length() == 6).map(a -> MacAddress.of(a.bytes())),
          attributes.u32(Rtnl.IFLA_GROUP, 0),
          attributes.u32(Rtnl.IFLA_MASTER, 0),
          attributes.u32(Rtnl.IFLA_LINK, 0),
          netns.isPresent() ? OptionalInt.of(netns.get().u32()) : OptionalInt.empty());
    } catch (IllegalArgumentException e) {
      throw new NetlinkException(
          "read link", Integer.toString(index), Errno.EBADMSG, String.valueOf(e.getMessage()));
    }
  }

  /// The device that a notification says is deleted; empty when it says something else.
  public static Optional<Link> deleted(NetlinkMessage message) throws NetlinkException {
    return message.type() == Rtnl.DELLINK ? Optional.of(parse(message)) : Optional.empty();
  }

  /// The kernel says "no such device" in two ways.
  static boolean isAbsent(LinuxException e) {
    return e.is(Errno.ENODEV) || e.is(Errno.ENXIO);
  }
}
