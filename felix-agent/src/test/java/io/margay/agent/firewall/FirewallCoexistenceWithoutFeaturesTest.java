package io.margay.agent.firewall;

import io.margay.linux.nft.NftFeatures;

/// Other firewalls beside ours on a kernel that has no more than 5.15: our tables are open to them.
final class FirewallCoexistenceWithoutFeaturesTest extends FirewallCoexistenceTest {

  @Override
  NftFeatures features() {
    return NftFeatures.NONE;
  }
}
