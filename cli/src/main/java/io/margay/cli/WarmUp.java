package io.margay.cli;

import io.margay.datastore.json.ResourceJson;
import io.margay.linux.LibC;
import io.margay.model.resource.Kind;

/// What a process needs anyway, begun on another core while its arguments are read and etcd is
/// asked.
final class WarmUp {

  private WarmUp() {}

  /// For a command on resources.
  static void resources() {
    start(() -> ResourceJson.prepare(Kind.NODE));
  }

  /// For the agent: its calls to the kernel, then what every datastore holds.
  static void agent() {
    start(
        () -> {
          LibC.load();
          ResourceJson.prepare(
              Kind.NODE, Kind.CLUSTER_INFORMATION, Kind.IP_POOL, Kind.TIER, Kind.BGP_PEER);
        });
  }

  private static void start(Runnable work) {
    Thread.ofPlatform().daemon().name("warm-up").start(work);
  }
}
