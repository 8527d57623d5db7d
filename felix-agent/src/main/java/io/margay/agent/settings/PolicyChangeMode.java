package io.margay.agent.settings;

/// What a change of policy does to connections that are open.
public enum PolicyChangeMode {
  /// Those that would be denied now are cut.
  REEVALUATE,
  /// They go on until they end by themselves; policy is for new ones.
  KEEP
}
