package io.margay.cli;

import io.margay.datastore.json.ResourceJson;

/// What a command on resources needs anyway, begun on another core while its arguments are read and
/// etcd is asked.
final class WarmUp {

  private static final String KEY = "/calico/resources/v3/projectcalico.org/nodes/n";
  private static final String NODE =
      """
      {"kind":"Node","apiVersion":"projectcalico.org/v3","metadata":{"name":"n","labels":{"a":"b"},\
      "creationTimestamp":"2026-01-31T12:00:00Z"},"spec":{"bgp":{"ipv4Address":"192.0.2.1/24"}}}\
      """;

  private WarmUp() {}

  static void start() {
    Thread.ofPlatform().daemon().name("warm-up").start(() -> ResourceJson.decode(KEY, NODE, 1));
  }
}
