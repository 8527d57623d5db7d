package io.margay.agent.firewall;

import io.margay.linux.nft.NftFeatures;

/// Policies on a kernel that has no more than 5.15.
///
/// What is probed decides how our tables are held ([NftFeatures]), and with that what others can do
/// to them; no rule is another one. So of the suites in namespaces those are run a second time that
/// try each kind of rule with packets and those with others' rules; the matrices have a node of
/// either kind ([io.margay.agent.firewall.rack.PacketRack#BARE]); tampering, gaps and host ports
/// are tried with open tables in any case, which is the same.
final class FirewallPacketWithoutFeaturesTest extends FirewallPacketTest {

  @Override
  NftFeatures features() {
    return NftFeatures.NONE;
  }
}
