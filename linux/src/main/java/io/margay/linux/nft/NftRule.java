package io.margay.linux.nft;

import java.nio.charset.StandardCharsets;
import java.util.List;

/// A rule: instructions, and the id under which listings, counters and explanations name it.
///
/// @param id written as the rule's comment; what the nft tool shows.
/// @param expressions carried out in order
public record NftRule(String id, List<NftExpr> expressions) {

  /// NFTNL_UDATA_COMMENT_MAXLEN of the nft tool: longer comments would not be listed.
  public static final int MAX_ID_OCTETS = 128;

  public NftRule {
    expressions = List.copyOf(expressions);
    if (expressions.isEmpty()) {
      throw new IllegalArgumentException("rule \"" + id + "\" has no expressions");
    }
    int octets = id.getBytes(StandardCharsets.UTF_8).length;
    if (octets > MAX_ID_OCTETS) {
      throw new IllegalArgumentException(
          "rule id \"" + id + "\" has " + octets + " octets; at most " + MAX_ID_OCTETS);
    }
  }
}
