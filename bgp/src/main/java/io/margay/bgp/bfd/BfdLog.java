package io.margay.bgp.bfd;

import io.margay.model.net.ScopedAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Every line BFD logs: constant messages, typed fields.
final class BfdLog {

  private static final Logger LOG = LoggerFactory.getLogger("io.margay.bgp.bfd");

  private BfdLog() {}

  static void up(ScopedAddress peer, long sendMicros, long detectionMicros) {
    LOG.atInfo()
        .addKeyValue("peer", peer)
        .addKeyValue("intervalMicros", sendMicros)
        .addKeyValue("detectionMicros", detectionMicros)
        .log("BFD session is up");
  }

  static void down(ScopedAddress peer, BfdDiagnostic diagnostic, boolean peerIndependent) {
    LOG.atWarn()
        .addKeyValue("peer", peer)
        .addKeyValue("diagnostic", diagnostic)
        .addKeyValue("peerControlPlaneIndependent", peerIndependent)
        .log("BFD session is down");
  }

  static void adminDown(ScopedAddress peer) {
    LOG.atInfo().addKeyValue("peer", peer).log("BFD session is administratively down at the peer");
  }

  static void cannotListen(ControlPort port, String reason, Duration retry) {
    LOG.atError()
        .addKeyValue("port", port)
        .addKeyValue("reason", reason)
        .addKeyValue("retryMillis", retry.toMillis())
        .log(
            "BFD cannot receive, its sessions stay down; end the other BFD daemon, if there is"
                + " one");
  }

  static void listening(ControlPort port) {
    LOG.atInfo().addKeyValue("port", port).log("BFD listens");
  }

  static void cannotSend(ScopedAddress peer, String reason) {
    LOG.atWarn()
        .addKeyValue("peer", peer)
        .addKeyValue("reason", reason)
        .log("BFD cannot send to its peer; it goes on trying");
  }

  static void discarded(InetSocketAddress sender, String reason, long unlogged) {
    LOG.atWarn()
        .addKeyValue("sender", sender)
        .addKeyValue("reason", reason)
        .addKeyValue("unlogged", unlogged)
        .log("BFD packet is discarded");
  }

  static void listenerFailed(ScopedAddress peer, RuntimeException bug) {
    LOG.atError()
        .addKeyValue("peer", peer)
        .setCause(bug)
        .log("BFD change is lost: its listener ended on a bug");
  }

  static void failed(Throwable bug) {
    LOG.atError().setCause(bug).log("BFD handler ended on a bug; the loop goes on");
  }
}
