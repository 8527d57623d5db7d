package io.margay.linux.nft;

import java.util.List;

/// A rule of the kernel in words.
///
/// @param info what it is and has counted
/// @param text as nft writes it, without its comment
/// @param jumps the chains it may go on to; what maps lead to is not among them
public record NftPrintedRule(NftRuleInfo info, String text, List<String> jumps) {

  /// What a rule looks like that holds something we never write.
  static final String UNKNOWN = "(not a rule of margay's)";

  /// Whether it looks one set up by what another yields, which versions of libnftables up to 1.0.6
  /// at least end the process at.
  public boolean isHardToPrint() {
    return text.contains(" map @");
  }

  public NftPrintedRule {
    jumps = List.copyOf(jumps);
  }
}
