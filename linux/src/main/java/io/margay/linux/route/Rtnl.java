package io.margay.linux.route;

import io.margay.model.net.IpFamily;

/// Numbers of `linux/rtnetlink.h`, `if_link.h`, `if_addr.h`, `neighbour.h` and `nexthop.h`.
final class Rtnl {

  static final int NEWLINK = 16;
  static final int DELLINK = 17;
  static final int GETLINK = 18;
  static final int SETLINK = 19;
  static final int NEWADDR = 20;
  static final int DELADDR = 21;
  static final int GETADDR = 22;
  static final int NEWROUTE = 24;
  static final int DELROUTE = 25;
  static final int GETROUTE = 26;
  static final int NEWNEIGH = 28;
  static final int DELNEIGH = 29;
  static final int GETNEIGH = 30;
  static final int GETRULE = 34;
  static final int NEWNEXTHOP = 104;
  static final int DELNEXTHOP = 105;
  static final int GETNEXTHOP = 106;
  static final int GETNEXTHOPBUCKET = 118;

  static final int IFINFO_OCTETS = 16;
  static final int IFLA_ADDRESS = 1;
  static final int IFLA_IFNAME = 3;
  static final int IFLA_MTU = 4;
  static final int IFLA_LINK = 5;
  static final int IFLA_MASTER = 10;
  static final int IFLA_LINKINFO = 18;
  static final int IFLA_IFALIAS = 20;
  static final int IFLA_AF_SPEC = 26;
  static final int IFLA_GROUP = 27;
  static final int IFLA_NUM_TX_QUEUES = 31;
  static final int IFLA_NUM_RX_QUEUES = 32;
  static final int IFLA_INET_CONF = 1;
  static final int IPV4_DEVCONF_FORWARDING = 1;
  static final int IPV4_DEVCONF_RP_FILTER = 8;
  static final int IFLA_NET_NS_FD = 28;
  static final int IFLA_EXT_MASK = 29;
  static final int IFLA_LINK_NETNSID = 37;
  static final int INFO_KIND = 1;
  static final int INFO_DATA = 2;
  static final int VETH_INFO_PEER = 1;
  static final int VXLAN_ID = 1;
  static final int VXLAN_LINK = 3;
  static final int VXLAN_LOCAL = 4;
  static final int VXLAN_LEARNING = 7;
  static final int VXLAN_PORT = 15;
  static final int VXLAN_LOCAL6 = 17;
  static final int RTEXT_FILTER_SKIP_STATS = 8;

  static final int IFADDR_OCTETS = 8;
  static final int IFA_ADDRESS = 1;
  static final int IFA_LOCAL = 2;
  static final int IFA_FLAGS = 8;

  static final int FIB_RULE_OCTETS = 12;
  static final int FRA_FWMARK = 10;

  static final int RTMSG_OCTETS = 12;
  static final int RTM_PROTOCOL = 5;
  static final int RTNEXTHOP_OCTETS = 8;
  static final int RTA_DST = 1;
  static final int RTA_OIF = 4;
  static final int RTA_GATEWAY = 5;
  static final int RTA_PRIORITY = 6;
  static final int RTA_PREFSRC = 7;
  static final int RTA_MULTIPATH = 9;
  static final int RTA_TABLE = 15;
  static final int RTA_MARK = 16;
  static final int RTA_NH_ID = 30;
  static final int RTM_F_CLONED = 0x200;
  static final int RTM_F_FIB_MATCH = 0x2000;
  static final int RTNH_F_DEAD = 1;
  static final int RTNH_F_ONLINK = 4;
  static final int RTNH_F_LINKDOWN = 16;

  static final int NHMSG_OCTETS = 8;
  static final int NHM_PROTOCOL = 2;
  static final int NHA_ID = 1;
  static final int NHA_GROUP = 2;
  static final int NHA_GROUP_TYPE = 3;
  static final int NHA_OIF = 5;
  static final int NHA_GATEWAY = 6;
  static final int NHA_RES_GROUP = 12;
  static final int NEXTHOP_GRP_OCTETS = 8;
  static final int NEXTHOP_GRP_TYPE_MPATH = 0;
  static final int NEXTHOP_GRP_TYPE_RES = 1;
  static final int NHA_RES_GROUP_BUCKETS = 1;
  static final int NHA_RES_GROUP_IDLE_TIMER = 2;
  static final int NHA_RES_GROUP_UNBALANCED_TIMER = 3;

  static final int NDMSG_OCTETS = 12;
  static final int NDA_DST = 1;
  static final int NDA_LLADDR = 2;

  private Rtnl() {}

  static int familyCode(IpFamily family) {
    return switch (family) {
      case IPV4 -> 2;
      case IPV6 -> 10;
    };
  }
}
