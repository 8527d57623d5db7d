package io.margay.linux.nft;

/// What an [NftTable#apply] or [NftTable#resync] did.
public sealed interface NftOutcome {

  /// The kernel held what is desired; nothing was written.
  record Unchanged() implements NftOutcome {}

  /// The difference was written, in one transaction.
  record Written(int steps) implements NftOutcome {}

  /// The difference was refused, so both tables were replaced as a whole, in one transaction.
  record Rebuilt(int steps, NftException cause) implements NftOutcome {}
}
