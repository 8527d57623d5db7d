package io.margay.policy.oracle;

import java.util.List;

/// What the policies of one host endpoint say to a packet at one stage, in one direction.
///
/// @param path what had a say, in order
public record HostDecision(Outcome outcome, List<Step> path) {

  public enum Outcome {
    /// The packet passes here and skips the later stages of the direction.
    ALLOW,
    /// The packet is dropped.
    DENY,
    /// Nothing was said; the packet goes on to the next stage.
    OPEN
  }

  public HostDecision {
    path = List.copyOf(path);
  }

  @Override
  public String toString() {
    return outcome + " by " + path;
  }
}
