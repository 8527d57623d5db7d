package io.margay.linux.nft;

/// Whose a table is to change, and how long it stays.
public enum NftTenure {
  /// Anybody's to change; stays until somebody removes it.
  OPEN,
  /// Only this socket's to change (NFT_TABLE_F_OWNER), and stays after it (NFT_TABLE_F_PERSIST).
  LASTING,
  /// Only this socket's to change (NFT_TABLE_F_OWNER); the kernel removes it with the socket,
  /// however its process ends.
  PASSING
}
