package io.margay.cli.bgpd;

import io.margay.model.net.IpAddress;

/// Where connections are accepted.
record ListenAddress(IpAddress address, int port) {
  @Override
  public String toString() {
    return address + " port " + port;
  }
}
