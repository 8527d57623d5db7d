package io.margay.bgp.policy;

import io.margay.model.net.Asn;

/// Another AS that we are to one peer. It stands in our OPEN, and it counts as ours when paths from
/// this peer are searched for loops. Received paths are not lengthened by it.
///
/// @param asn what the peer takes us for
/// @param shown what the peer sees in the paths we announce
public record LocalAs(Asn asn, Shown shown) {

  /// The ASes put in front of an announced path.
  public enum Shown {
    /// The other AS alone, as `local as` of BIRD and `localASNumber` of Calico have it.
    OTHER_ONLY,
    /// The other AS and behind it our own: the first step of a migration (RFC 7705 §3).
    BOTH
  }

  public LocalAs {
    if (asn.value() == 0) {
      throw new IllegalArgumentException("AS 0 can't be a local AS (RFC 7607)");
    }
  }

  /// The other AS in place of our own.
  public static LocalAs replacing(Asn asn) {
    return new LocalAs(asn, Shown.OTHER_ONLY);
  }
}
