package io.margay.bgp.transport;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Every line the transport logs: constant messages, typed fields, never a key.
final class TransportLog {

  private static final Logger LOG = LoggerFactory.getLogger("io.margay.bgp.transport");

  private TransportLog() {}

  static void listening(ListenAddress address) {
    LOG.atInfo().addKeyValue("address", address).log("BGP listens");
  }

  static void listensNoMore(ListenAddress address) {
    LOG.atInfo().addKeyValue("address", address).log("BGP listens no more");
  }
}
