package io.margay.linux.route;

import io.margay.linux.Errno;
import io.margay.linux.NetlinkException;
import io.margay.linux.netlink.Attribute;
import io.margay.linux.netlink.Attributes;
import io.margay.linux.netlink.NetlinkMessage;
import io.margay.model.net.IpAddress;
import java.util.Optional;

/// A VXLAN device as the kernel reports it.
///
/// @param link what every device has
/// @param vni VXLAN network identifier
/// @param port UDP port of the outer packets
/// @param local source address of the outer packets, if it is fixed
/// @param boundTo index of the device that outer packets must leave by; 0 for any
/// @param isLearning whether it believes what senders of frames say of themselves
public record Vxlan(
    Link link, int vni, int port, Optional<IpAddress> local, int boundTo, boolean isLearning) {

  /// What a VXLAN device is called as a [Link#kind].
  public static final String KIND = "vxlan";

  /// Whether all that can't be changed on a living device is as wanted.
  public boolean isLike(VxlanSpec spec) {
    return vni == spec.vni()
        && port == spec.port()
        && local.equals(Optional.of(spec.local()))
        && boundTo == 0
        && !isLearning
        && link.mac().equals(Optional.of(spec.mac()));
  }

  /// Reads an RTM_NEWLINK message; empty for a device of another kind.
  static Optional<Vxlan> parse(NetlinkMessage message) throws NetlinkException {
    Link link = Link.parse(message);
    Optional<Attribute> info = message.attributes(Rtnl.IFINFO_OCTETS).find(Rtnl.IFLA_LINKINFO);
    if (!link.kind().equals(KIND) || info.isEmpty()) {
      return Optional.empty();
    }
    Optional<Attribute> data = info.get().nested().find(Rtnl.INFO_DATA);
    if (data.isEmpty()) {
      return Optional.empty();
    }
    Attributes settings = data.get().nested();
    Optional<Attribute> port = settings.find(Rtnl.VXLAN_PORT);
    Optional<Attribute> learning = settings.find(Rtnl.VXLAN_LEARNING);
    Optional<Attribute> local =
        settings.find(Rtnl.VXLAN_LOCAL).or(() -> settings.find(Rtnl.VXLAN_LOCAL6));
    try {
      return Optional.of(
          new Vxlan(
              link,
              settings.u32(Rtnl.VXLAN_ID, 0),
              port.isPresent() ? port.get().be16() : 0,
              local.map(Attribute::bytes).map(IpAddress::of),
              settings.u32(Rtnl.VXLAN_LINK, 0),
              learning.isPresent() && learning.get().u8() != 0));
    } catch (IllegalArgumentException e) {
      throw new NetlinkException(
          "read VXLAN device", link.name().value(), Errno.EBADMSG, String.valueOf(e.getMessage()));
    }
  }
}
