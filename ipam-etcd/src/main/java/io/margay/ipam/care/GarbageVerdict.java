package io.margay.ipam.care;

import io.margay.model.net.IpAddress;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;

/// What is to become of all addresses of one handle.
///
/// @param handle who holds them; a remark in brackets when nobody is named
/// @param node the node they are for; empty when it is not known
/// @param addresses each with the sequence number it was assigned at
/// @param outcome what to do
/// @param reason why: who was asked, and what they said
/// @param since when it was first suspected
/// @param endpoints keys of endpoints that go with the addresses
/// @param ofVanishedNode whether it is judged because its node is gone
public record GarbageVerdict(
    String handle,
    String node,
    SortedMap<IpAddress, Long> addresses,
    Outcome outcome,
    String reason,
    Optional<Instant> since,
    List<String> endpoints,
    boolean ofVanishedNode) {

  /// What to do.
  public enum Outcome {
    /// In use, or nobody can say that it is not.
    KEEP,
    /// Unused by what is seen now; to be looked at again.
    SUSPECT,
    /// Two witnesses agree: free it.
    RELEASE
  }
}
