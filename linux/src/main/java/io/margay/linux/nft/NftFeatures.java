package io.margay.linux.nft;

/// What is used of nf_tables beyond what every kernel has. Each is probed where it is to be used,
/// and done without where it is missing.
///
/// @param persistentOwner [NftTenure#LASTING] (6.9)
/// @param passingOwner [NftTenure#PASSING] (5.12)
public record NftFeatures(boolean persistentOwner, boolean passingOwner) {

  /// None of it.
  public static final NftFeatures NONE = new NftFeatures(false, false);

  /// Whatever the kernel has.
  public static final NftFeatures ALL = new NftFeatures(true, true);

  /// System property: `off` uses none, whatever the kernel has.
  static final String PROPERTY = "margay.nft.features";

  /// What may be used of what the kernel has.
  static NftFeatures allowed() {
    return System.getProperty(PROPERTY, "").equals("off") ? NONE : ALL;
  }
}
