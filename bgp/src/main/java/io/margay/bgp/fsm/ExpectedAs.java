package io.margay.bgp.fsm;

import io.margay.model.net.Asn;

/// Which AS numbers a peer's OPEN may name. AS 0 never may (RFC 7607 §2).
public sealed interface ExpectedAs {

  /// This one.
  record Only(Asn asn) implements ExpectedAs {
    public Only {
      if (asn.toLong() == 0) {
        throw new IllegalArgumentException("AS 0 is reserved (RFC 7607)");
      }
    }

    @Override
    public String toString() {
      return asn.toString();
    }
  }

  /// Any but ours: for ranges of peers with an AS each.
  record External() implements ExpectedAs {
    @Override
    public String toString() {
      return "external";
    }
  }

  /// Any, ours included.
  record Any() implements ExpectedAs {
    @Override
    public String toString() {
      return "any";
    }
  }

  static ExpectedAs only(Asn asn) {
    return new Only(asn);
  }

  /// Whether a peer may have this AS number.
  ///
  /// @param ours what our OPEN names
  default boolean allows(Asn asn, Asn ours) {
    if (asn.toLong() == 0) {
      return false;
    }
    return switch (this) {
      case Only(Asn expected) -> asn.equals(expected);
      case External() -> !asn.equals(ours);
      case Any() -> true;
    };
  }
}
