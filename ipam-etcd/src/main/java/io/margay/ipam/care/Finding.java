package io.margay.ipam.care;

import io.margay.datastore.Txn;
import java.util.Optional;

/// One contradiction.
///
/// @param object the address, block, claim, handle or key it is about
/// @param detail what contradicts what
/// @param remedy what repair does about it, or who else can
/// @param fix the repair, conditional on everything it was concluded from; empty when repair must
///   not or can't
public record Finding(
    FindingKind kind, String object, String detail, String remedy, Optional<Txn> fix) {

  static Finding fixable(FindingKind kind, Object object, String detail, String remedy, Txn fix) {
    return new Finding(kind, object.toString(), detail, remedy, Optional.of(fix));
  }

  static Finding unfixable(FindingKind kind, Object object, String detail, String remedy) {
    return new Finding(kind, object.toString(), detail, remedy, Optional.empty());
  }

  /// Whether both say the same, whatever was written meanwhile.
  boolean says(Finding other) {
    return kind == other.kind && object.equals(other.object) && detail.equals(other.detail);
  }

  @Override
  public String toString() {
    return kind + " " + object + ": " + detail;
  }
}
