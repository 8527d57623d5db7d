package io.margay.linux.nft;

import io.margay.model.net.IpFamily;

/// A table of one family, such as `ip margay`.
public record NftTableName(IpFamily family, String name) {

  public NftTableName {
    NftSet.requireName(name);
  }

  @Override
  public String toString() {
    return switch (family) {
      case IPV4 -> "ip " + name;
      case IPV6 -> "ip6 " + name;
    };
  }
}
