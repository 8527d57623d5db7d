package io.margay.bgp.message;

/// About the routes of a family in our Adj-RIB-Out (RFC 2918 §3).
///
/// @param subtype 0: send them all again; the others belong to RFC 7313, which we do not announce
public record RouteRefresh(AfiSafi family, int subtype) implements Message {

  /// Asks for the routes of a family again.
  public RouteRefresh(AfiSafi family) {
    this(family, 0);
  }

  /// Whether routes are wanted. Any other subtype is ignored (RFC 7313 §5).
  public boolean isRequest() {
    return subtype == 0;
  }
}
