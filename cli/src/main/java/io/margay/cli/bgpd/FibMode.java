package io.margay.cli.bgpd;

/// What becomes of the best routes beyond telling peers.
enum FibMode {
  /// Nothing: a reflector, a route server, a bench.
  NONE,
  /// The kernel's main table, under a protocol number of bgpd's own.
  KERNEL
}
