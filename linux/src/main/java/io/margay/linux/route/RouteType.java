package io.margay.linux.route;

/// What the kernel does with a packet that matches (RTN_ of `linux/rtnetlink.h`).
public enum RouteType {
  UNSPECIFIED(0),
  UNICAST(1),
  LOCAL(2),
  BROADCAST(3),
  ANYCAST(4),
  MULTICAST(5),
  BLACKHOLE(6),
  UNREACHABLE(7),
  PROHIBIT(8),
  THROW(9),
  NAT(10),
  EXTERNAL_RESOLVE(11);

  private final int code;

  RouteType(int code) {
    this.code = code;
  }

  int code() {
    return code;
  }

  static RouteType ofCode(int code) {
    for (RouteType type : values()) {
      if (type.code == code) {
        return type;
      }
    }
    throw new IllegalArgumentException("route type " + code + " is unknown");
  }
}
