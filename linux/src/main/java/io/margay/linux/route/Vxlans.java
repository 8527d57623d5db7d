package io.margay.linux.route;

import static io.margay.linux.netlink.NetlinkMessage.CREATE;
import static io.margay.linux.netlink.NetlinkMessage.EXCL;

import io.margay.linux.LinuxException;
import io.margay.linux.NetlinkException;
import io.margay.linux.netlink.MessageBuilder;
import io.margay.linux.netlink.NetlinkMessage;
import io.margay.linux.netlink.NetlinkSocket;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpFamily;
import java.util.Optional;

/// The VXLAN devices of one namespace.
public final class Vxlans {

  private final NetlinkSocket socket;
  private final Links links;

  Vxlans(NetlinkSocket socket, Links links) {
    this.socket = socket;
    this.links = links;
  }

  /// Creates a device; it is down.
  ///
  /// The kernel takes no alias from the message that creates. Who dies in between leaves a device
  /// that is like the wanted one but for its mark.
  ///
  /// @throws NetlinkException EEXIST when the name is taken, or another device has the same VNI and
  ///   port
  public Link create(VxlanSpec spec) throws LinuxException {
    socket.request(created(spec));
    Link born = links.born(spec.name());
    links.setAlias(born.index(), spec.alias());
    return born.marked(spec.alias());
  }

  private static NetlinkMessage created(VxlanSpec spec) {
    int local = spec.local().family() == IpFamily.IPV4 ? Rtnl.VXLAN_LOCAL : Rtnl.VXLAN_LOCAL6;
    return Links.header(
            new MessageBuilder(Rtnl.NEWLINK, CREATE | EXCL, "create VXLAN device", spec.name()), 0)
        .attrString(Rtnl.IFLA_IFNAME, spec.name().value())
        .attr(Rtnl.IFLA_ADDRESS, spec.mac().toBytes())
        .attrU32(Rtnl.IFLA_MTU, spec.mtu())
        .nest(
            Rtnl.IFLA_LINKINFO,
            info ->
                info.attrString(Rtnl.INFO_KIND, Vxlan.KIND)
                    .nest(
                        Rtnl.INFO_DATA,
                        data ->
                            data.attrU32(Rtnl.VXLAN_ID, spec.vni())
                                .attr(local, spec.local().toBytes())
                                .attrU8(Rtnl.VXLAN_LEARNING, 0)
                                .attrBe16(Rtnl.VXLAN_PORT, spec.port())))
        .build();
  }

  /// The device of this name, if there is one and it is a VXLAN device.
  public Optional<Vxlan> find(InterfaceName name) throws LinuxException {
    NetlinkMessage question =
        Links.header(new MessageBuilder(Rtnl.GETLINK, 0, "get VXLAN device", name), 0)
            .attrString(Rtnl.IFLA_IFNAME, name.value())
            .build();
    try {
      return Vxlan.parse(socket.get(question));
    } catch (NetlinkException e) {
      if (Link.isAbsent(e)) {
        return Optional.empty();
      }
      throw e;
    }
  }
}
