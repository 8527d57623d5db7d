package io.margay.bgp.rib;

/// What operators may choose about the decision process.
///
/// @param multipathRelax whether shared-over paths may differ in what their AS paths contain; their
///   length must be equal all the same
/// @param maxPaths most paths to share traffic over, at least 1
public record DecisionRules(boolean multipathRelax, int maxPaths) {
  public DecisionRules {
    if (maxPaths < 1) {
      throw new IllegalArgumentException("maxPaths: " + maxPaths + " is not 1 or more");
    }
  }
}
