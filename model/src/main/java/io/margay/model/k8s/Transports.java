package io.margay.model.k8s;

import io.margay.model.resource.Protocol;
import java.util.List;

/// The protocols Kubernetes knows ports of.
final class Transports {

  static final List<Protocol> ALL =
      List.of(Protocol.Named.SCTP, Protocol.Named.TCP, Protocol.Named.UDP);

  private Transports() {}

  static boolean isOne(Protocol protocol) {
    return ALL.stream().anyMatch(one -> one.number() == protocol.number());
  }
}
