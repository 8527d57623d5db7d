package io.margay.agent.firewall;

import io.margay.linux.nft.NftFeatures;

/// Host endpoints and real packets on a kernel that has no more than 5.15.
final class HostEndpointPacketWithoutFeaturesTest extends HostEndpointPacketTest {

  @Override
  NftFeatures features() {
    return NftFeatures.NONE;
  }
}
