package io.margay.linux.nft;

/// What becomes of a packet (`enum nft_verdicts` and NF_DROP, NF_ACCEPT of the kernel's headers).
public sealed interface NftVerdict {

  NftVerdict ACCEPT = new Accept();
  NftVerdict DROP = new Drop();
  NftVerdict RETURN = new Return();

  static NftVerdict jump(String chain) {
    return new Jump(chain);
  }

  /// Ends this base chain; later base chains of the hook still see the packet.
  record Accept() implements NftVerdict {}

  /// Final.
  record Drop() implements NftVerdict {}

  /// Back to the rule after the jump.
  record Return() implements NftVerdict {}

  /// Into another regular chain of the table, and back at its end. At most 16 deep.
  record Jump(String chain) implements NftVerdict {}
}
