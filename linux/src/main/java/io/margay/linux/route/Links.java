package io.margay.linux.route;

import static io.margay.linux.netlink.NetlinkMessage.CREATE;
import static io.margay.linux.netlink.NetlinkMessage.EXCL;

import io.margay.linux.Errno;
import io.margay.linux.LibC;
import io.margay.linux.LinuxException;
import io.margay.linux.NetlinkException;
import io.margay.linux.netlink.MessageBuilder;
import io.margay.linux.netlink.NetlinkMessage;
import io.margay.linux.netlink.NetlinkSocket;
import io.margay.model.net.InterfaceName;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The devices of one namespace.
///
/// Nothing here uses IFLA_TARGET_NETNSID: on a modification the kernel would look the index up in
/// *our* namespace and move our device into the pod. To change a link in a pod, open an
/// [Rtnetlink#inNetns].
public final class Links {

  /// The link group of host ends that have no alias yet: "mgyn" in ASCII.
  public static final int NEWBORN_GROUP = 0x6d67796e;

  private static final int IFF_UP = 1;

  /// Of each direction of a veth. The kernel uses one unless told otherwise, but makes one for each
  /// processor and, its lock held, waits for an RCU grace period to put the others out of use
  /// (`veth_init_queues`).
  private static final int QUEUES = 1;

  private final NetlinkSocket socket;

  Links(NetlinkSocket socket) {
    this.socket = socket;
  }

  /// Creates a veth pair in place: one message makes both ends, the peer inside the pod's
  /// namespace. (Born there it costs half a millisecond; moved there, sixteen.)
  ///
  /// The kernel takes no alias from the message that creates, but a group: until its alias is set,
  /// the host end is in [#NEWBORN_GROUP], by which a process that died in between is cleaned up
  /// after.
  ///
  /// @return the host end
  /// @throws NetlinkException EEXIST when either name is taken; nothing is left behind on failure
  public Link createVeth(VethSpec veth) throws LinuxException {
    socket.request(newVeth(veth));
    return mark(born(veth.host()), veth.alias());
  }

  /// Creates an `ifb`: what is redirected to it, it sends, and then gives back to where it came
  /// from. It is down.
  ///
  /// @param alias its mark, at most 255 octets
  /// @throws NetlinkException EEXIST when the name is taken; nothing is left behind on failure
  public Link createIfb(InterfaceName name, int mtu, String alias) throws LinuxException {
    VethSpec.requireAlias(alias);
    socket.request(
        header(new MessageBuilder(Rtnl.NEWLINK, CREATE | EXCL, "create ifb", name), 0)
            .attrString(Rtnl.IFLA_IFNAME, name.value())
            .attrU32(Rtnl.IFLA_MTU, mtu)
            .attrU32(Rtnl.IFLA_GROUP, NEWBORN_GROUP)
            .nest(Rtnl.IFLA_LINKINFO, info -> info.attrString(Rtnl.INFO_KIND, "ifb"))
            .build());
    return mark(born(name), alias);
  }

  Link born(InterfaceName name) throws LinuxException {
    return find(name)
        .orElseThrow(
            () ->
                new NetlinkException(
                    "create link", name.value(), Errno.ENODEV, "gone once created"));
  }

  private Link mark(Link link, String alias) throws LinuxException {
    try {
      socket.request(
          header(new MessageBuilder(Rtnl.SETLINK, 0, "mark link", link.name()), link.index())
              .attrString(Rtnl.IFLA_IFALIAS, alias)
              .attrU32(Rtnl.IFLA_GROUP, 0)
              .build());
      return link.marked(alias);
    } catch (LinuxException e) {
      delete(link.index()); // without its mark nobody would know it as ours
      throw e;
    }
  }

  static NetlinkMessage newVeth(VethSpec veth) {
    // The peer cannot be up in this message: it has no carrier yet (ENOTCONN).
    MessageBuilder message =
        new MessageBuilder(Rtnl.NEWLINK, CREATE | EXCL, "create veth", veth.host());
    header(message, 0, IFF_UP, IFF_UP);
    message
        .attrString(Rtnl.IFLA_IFNAME, veth.host().value())
        .attr(Rtnl.IFLA_ADDRESS, veth.hostMac().toBytes())
        .attrU32(Rtnl.IFLA_MTU, veth.mtu())
        .attrU32(Rtnl.IFLA_GROUP, NEWBORN_GROUP)
        .attrU32(Rtnl.IFLA_NUM_TX_QUEUES, QUEUES)
        .attrU32(Rtnl.IFLA_NUM_RX_QUEUES, QUEUES)
        .nest(
            Rtnl.IFLA_LINKINFO,
            info ->
                info.attrString(Rtnl.INFO_KIND, "veth")
                    .nest(
                        Rtnl.INFO_DATA,
                        data -> data.container(Rtnl.VETH_INFO_PEER, end -> peer(end, veth))));
    return message.build();
  }

  private static void peer(MessageBuilder end, VethSpec veth) {
    header(end, 0, 0, 0);
    end.attrString(Rtnl.IFLA_IFNAME, veth.peer().value())
        .attr(Rtnl.IFLA_ADDRESS, veth.peerMac().toBytes())
        .attrU32(Rtnl.IFLA_MTU, veth.mtu())
        .attrU32(Rtnl.IFLA_NUM_TX_QUEUES, QUEUES)
        .attrU32(Rtnl.IFLA_NUM_RX_QUEUES, QUEUES)
        .attrU32(Rtnl.IFLA_NET_NS_FD, veth.peerNetnsFd());
  }

  /// All devices.
  public List<Link> list() throws LinuxException {
    MessageBuilder question = new MessageBuilder(Rtnl.GETLINK, 0, "list", "links");
    header(question, 0, 0, 0);
    question.attrU32(Rtnl.IFLA_EXT_MASK, Rtnl.RTEXT_FILTER_SKIP_STATS);
    List<Link> links = new ArrayList<>();
    for (NetlinkMessage message : socket.dump(question.build())) {
      if (message.type() == Rtnl.NEWLINK) {
        links.add(Link.parse(message));
      }
    }
    return links;
  }

  /// The device of this number.
  ///
  /// @throws NetlinkException ENODEV when there is none
  public Link get(int index) throws LinuxException {
    MessageBuilder question = new MessageBuilder(Rtnl.GETLINK, 0, "get link", index);
    header(question, index, 0, 0);
    return Link.parse(socket.get(question.build()));
  }

  /// The device of this name, if there is one.
  public Optional<Link> find(InterfaceName name) throws LinuxException {
    MessageBuilder question = new MessageBuilder(Rtnl.GETLINK, 0, "get link", name);
    header(question, 0, 0, 0);
    question.attrString(Rtnl.IFLA_IFNAME, name.value());
    try {
      return Optional.of(Link.parse(socket.get(question.build())));
    } catch (NetlinkException e) {
      if (Link.isAbsent(e)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  public void setUp(int index) throws LinuxException {
    socket.request(up(index));
  }

  static NetlinkMessage up(int index) {
    return header(new MessageBuilder(Rtnl.SETLINK, 0, "set up link", index), index, IFF_UP, IFF_UP)
        .build();
  }

  /// Sets `net.ipv4.conf.NAME.forwarding` and `rp_filter` of a device. A request waits its turn for
  /// the kernel's lock, where a write of the files spins (`devinet_sysctl_forward`).
  ///
  /// @param reversePath 0 no check, 1 strict, 2 loose (RFC 3704)
  public void setIpv4(int index, boolean forwarding, int reversePath) throws LinuxException {
    socket.request(
        header(new MessageBuilder(Rtnl.SETLINK, 0, "set IPv4 settings of link", index), index)
            .nest(
                Rtnl.IFLA_AF_SPEC,
                families ->
                    families.nest(
                        LibC.AF_INET,
                        inet ->
                            inet.nest(
                                Rtnl.IFLA_INET_CONF,
                                conf ->
                                    conf.attrU32(Rtnl.IPV4_DEVCONF_FORWARDING, forwarding ? 1 : 0)
                                        .attrU32(Rtnl.IPV4_DEVCONF_RP_FILTER, reversePath))))
            .build());
  }

  /// Sets it down; the kernel drops its routes and neighbours.
  public void setDown(int index) throws LinuxException {
    socket.request(
        header(new MessageBuilder(Rtnl.SETLINK, 0, "set down link", index), index, 0, IFF_UP)
            .build());
  }

  public void rename(int index, InterfaceName name) throws LinuxException {
    socket.request(
        header(new MessageBuilder(Rtnl.SETLINK, 0, "rename link", index + " to " + name), index)
            .attrString(Rtnl.IFLA_IFNAME, name.value())
            .build());
  }

  /// @param alias at most 255 octets
  public void setAlias(int index, String alias) throws LinuxException {
    VethSpec.requireAlias(alias);
    socket.request(
        header(new MessageBuilder(Rtnl.SETLINK, 0, "set alias of link", index), index)
            .attrString(Rtnl.IFLA_IFALIAS, alias)
            .build());
  }

  /// @param mtu octets
  public void setMtu(int index, int mtu) throws LinuxException {
    socket.request(
        header(new MessageBuilder(Rtnl.SETLINK, 0, "set MTU of link", index), index)
            .attrU32(Rtnl.IFLA_MTU, mtu)
            .build());
  }

  /// Puts it into a group, to be deleted with it.
  public void setGroup(int index, int group) throws LinuxException {
    socket.request(
        header(new MessageBuilder(Rtnl.SETLINK, 0, "set group of link", index), index)
            .attrU32(Rtnl.IFLA_GROUP, group)
            .build());
  }

  /// Deletes a device (of a veth: both ends).
  ///
  /// @return whether it was there
  public boolean delete(int index) throws LinuxException {
    return deleted(
        header(new MessageBuilder(Rtnl.DELLINK, 0, "delete link", index), index).build());
  }

  /// Deletes every device of a group in one go: a hundred cost three times as much as one.
  ///
  /// @param group not 0, the group every device starts in
  /// @return whether there was any
  public boolean deleteGroup(int group) throws LinuxException {
    if (group == 0) {
      throw new IllegalArgumentException("group 0 holds every device that is in no other");
    }
    return deleted(
        header(new MessageBuilder(Rtnl.DELLINK, 0, "delete link group", group), 0)
            .attrU32(Rtnl.IFLA_GROUP, group)
            .build());
  }

  private boolean deleted(NetlinkMessage message) throws LinuxException {
    try {
      socket.request(message);
      return true;
    } catch (NetlinkException e) {
      if (Link.isAbsent(e)) {
        return false;
      }
      throw e;
    }
  }

  static MessageBuilder header(MessageBuilder message, int index) {
    return header(message, index, 0, 0);
  }

  /// `struct ifinfomsg`: family, padding, type, index, flags, change mask.
  private static MessageBuilder header(MessageBuilder message, int index, int flags, int changed) {
    return message.u8(0).u8(0).u16(0).u32(index).u32(flags).u32(changed);
  }
}
