package io.margay.agent.firewall;

import io.margay.linux.nft.NftFeatures;

/// Policies on a kernel that has no more than 5.15.
final class FirewallPacketOn515Test extends FirewallPacketTest {

  @Override
  NftFeatures features() {
    return NftFeatures.ON_5_15;
  }
}
