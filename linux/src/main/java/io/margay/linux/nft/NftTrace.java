package io.margay.linux.nft;

import io.margay.model.net.IpFamily;
import org.jspecify.annotations.Nullable;

/// One step of a traced packet's way through the tables of all tools: told for each rule that
/// matched, each verdict of a base chain, and for packets that a rule of ours marked
/// ([NftExpr.Trace]).
///
/// @param id the same for all steps of one packet, and soon used again for others
/// @param family of the table, null if it is not IPv4 or IPv6 (a table of family `inet`, `bridge`…)
/// @param ruleHandle the kernel's number of the rule in its table; 0 if the step is no rule's
/// @param verdict what the rule, or the chain's policy, said
/// @param inInterface index, told with the packet's first step in a base chain; 0 = none, or a
///   later step
/// @param outInterface likewise
/// @param packet its octets from the network header on, cut; likewise, and else empty
public record NftTrace(
    int id,
    Kind kind,
    @Nullable IpFamily family,
    String table,
    String chain,
    long ruleHandle,
    Verdict verdict,
    int inInterface,
    int outInterface,
    NftData packet) {

  /// `enum nft_trace_types`.
  public enum Kind {
    /// The packet reached the end of a base chain.
    POLICY,
    /// The packet came back from a jump, or left a chain by `return`.
    RETURN,
    /// A rule matched.
    RULE
  }

  /// @param target the chain of a jump or goto; empty for others
  public record Verdict(Code code, String target) {}

  /// Verdicts of any tool's rules, not only of ours.
  public enum Code {
    DROP(0),
    ACCEPT(1),
    STOLEN(2),
    QUEUE(3),
    CONTINUE(-1),
    BREAK(-2),
    JUMP(-3),
    GOTO(-4),
    RETURN(-5);

    private final int number;

    Code(int number) {
      this.number = number;
    }

    static Code of(int number) {
      for (Code code : values()) {
        // Queues carry their number in the upper half.
        if (code.number == number || number >= 0 && code.number == (number & 0xff)) {
          return code;
        }
      }
      return CONTINUE;
    }
  }
}
