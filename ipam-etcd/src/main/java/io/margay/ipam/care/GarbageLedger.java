package io.margay.ipam.care;

import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.time.Instant;
import java.util.Map;
import java.util.SortedMap;

/// What earlier looks saw, for the next to compare with. Kept in memory only: a process that starts
/// knows nothing, suspects anew and waits the whole grace period.
///
/// @param suspects by handle
/// @param absences nodes without a resource and without a sign of life, by name
/// @param emptyBlocks blocks seen empty, with the revision they were empty at
/// @param beats agents' signs of life, by node
public record GarbageLedger(
    Map<String, Suspect> suspects,
    Map<String, Absence> absences,
    Map<Prefix, Long> emptyBlocks,
    Map<String, Beat> beats) {

  /// Nothing seen yet.
  public static final GarbageLedger EMPTY =
      new GarbageLedger(Map.of(), Map.of(), Map.of(), Map.of());

  public GarbageLedger {
    suspects = Map.copyOf(suspects);
    absences = Map.copyOf(absences);
    emptyBlocks = Map.copyOf(emptyBlocks);
    beats = Map.copyOf(beats);
  }

  /// A handle that looked unused.
  ///
  /// @param addresses each with its sequence number: the same address assigned anew is another
  ///   matter
  record Suspect(Instant since, int looks, SortedMap<IpAddress, Long> addresses) {}

  /// A node that was not there.
  record Absence(Instant since, int looks) {}

  /// An agent's sign of life.
  ///
  /// @param changed when, by our clock, its revision was first seen
  record Beat(long modRevision, Instant changed) {}
}
