package io.margay.policy.oracle;

import java.util.List;

/// What the policies of one endpoint say to a packet in one direction.
///
/// @param allowed the outcome
/// @param path what had a say, in order; the last one decided
public record Decision(boolean allowed, List<Step> path) {

  public Decision {
    path = List.copyOf(path);
  }

  @Override
  public String toString() {
    return (allowed ? "allow" : "deny") + " by " + path;
  }
}
