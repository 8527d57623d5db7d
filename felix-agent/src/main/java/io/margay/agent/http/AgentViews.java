package io.margay.agent.http;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;

/// What the rim shows: each method but one answers at once, from an immutable snapshot. The values
/// are maps, lists and scalars as Jackson writes them; their keys are the API (docs/api.md).
public interface AgentViews {

  /// Every part of the agent, whether it lives and whether the node can take pods as far as it is
  /// concerned, with its state in words.
  SortedMap<String, Reporter> health();

  /// What [BgpApi] answers.
  ///
  /// @param target path and query
  Answer bgp(String target);

  /// One row a workload endpoint on this node.
  List<Map<String, Object>> endpoints();

  /// What each rule of policy has counted, from a reading of the kernel's rules that is a second
  /// old at most.
  ///
  /// @throws IOException if they can't be read now; says why
  List<Map<String, Object>> policyCounters() throws IOException;

  /// Identity, version, start-up times, counts.
  Map<String, Object> status();

  /// A part's health.
  ///
  /// @param live false if nothing but a restart of the agent helps
  /// @param ready whether the node can take pods as far as this part is concerned
  /// @param detail one line for people
  record Reporter(boolean live, boolean ready, String detail) {}
}
