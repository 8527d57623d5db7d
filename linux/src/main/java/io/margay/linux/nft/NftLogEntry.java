package io.margay.linux.nft;

/// A packet that an [NftExpr.LogGroup] handed out.
///
/// @param prefix of the rule
/// @param inInterface index, 0 = the packet begins here
/// @param outInterface index, 0 = not routed yet, or it ends here
/// @param packet its octets from the network header on, cut to what the rule says
public record NftLogEntry(String prefix, int inInterface, int outInterface, NftData packet) {}
