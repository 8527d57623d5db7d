package io.margay.linux.nft;

/// What a rule has seen since it was written; a rule written anew starts at zero.
public record NftCounter(long packets, long octets) {

  public static final NftCounter ZERO = new NftCounter(0, 0);

  public NftCounter plus(NftCounter other) {
    return new NftCounter(packets + other.packets, octets + other.octets);
  }

  public NftCounter minus(NftCounter other) {
    return new NftCounter(packets - other.packets, octets - other.octets);
  }
}
