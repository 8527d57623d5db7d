package io.margay.linux.nft;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/// The userdata a rule carries in the kernel: its id as the comment the nft tool shows, and a hash
/// of its instructions, by which a process without memory recognises the rule as it would write it.
///
/// Layout as libnftnl has it (libnftnl/udata.h): type, length and value, an octet each for the
/// first two.
final class NftRuleTag {

  /// NFTNL_UDATA_RULE_COMMENT.
  private static final int COMMENT = 0;

  /// Ours; readers skip types they do not know.
  private static final int CONTENT_HASH = 0x4d;

  private static final int HASH_OCTETS = 8;

  private NftRuleTag() {}

  static NftData of(NftRule rule) {
    byte[] comment = rule.id().getBytes(StandardCharsets.UTF_8);
    byte[] tag = new byte[2 + comment.length + 1 + 2 + HASH_OCTETS];
    tag[0] = COMMENT;
    tag[1] = (byte) (comment.length + 1);
    System.arraycopy(comment, 0, tag, 2, comment.length);
    int at = 2 + comment.length + 1;
    tag[at] = CONTENT_HASH;
    tag[at + 1] = HASH_OCTETS;
    byte[] hash = sha256(ExprCodec.encode(rule.expressions()));
    System.arraycopy(hash, 0, tag, at + 2, HASH_OCTETS);
    return NftData.of(tag);
  }

  /// The comment a rule's userdata holds, which for ours is its id; empty if it holds none.
  static String id(NftData userdata) {
    byte[] octets = userdata.raw();
    for (int at = 0; at + 2 <= octets.length; at += 2 + (octets[at + 1] & 0xff)) {
      int length = octets[at + 1] & 0xff;
      if (octets[at] == COMMENT && length > 0 && at + 2 + length <= octets.length) {
        return new String(octets, at + 2, length - 1, StandardCharsets.UTF_8);
      }
    }
    return "";
  }

  private static byte[] sha256(byte[] octets) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(octets);
    } catch (NoSuchAlgorithmException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }
}
