package io.margay.agent.service;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// The capabilities an agent can't do without (capabilities(7)): those of the systemd unit, no
/// more.
public enum Capabilities {
  CAP_NET_BIND_SERVICE(10, "to listen for BGP on port 179"),
  CAP_NET_ADMIN(12, "for routes, links, nftables and sysctls of the network"),
  CAP_SYS_ADMIN(21, "to enter pods' network namespaces");

  private static final Path STATUS = Path.of("/proc/self/status");
  private static final String EFFECTIVE = "CapEff:";
  private static final int HEXADECIMAL = 16;

  /// Its bit, of linux/capability.h.
  private final int bit;

  private final String purpose;

  Capabilities(int bit, String purpose) {
    this.bit = bit;
    this.purpose = purpose;
  }

  /// What this process lacks, in words for the end of an error message; empty when it lacks
  /// nothing, or that can't be read.
  public static Optional<String> missing() {
    try {
      return missing(Files.readAllLines(STATUS));
    } catch (IOException unreadable) {
      // Only the hint is lost: the error it would explain is told anyway.
      return Optional.empty();
    }
  }

  static Optional<String> missing(List<String> status) {
    List<Capabilities> missing = new ArrayList<>();
    for (String line : status) {
      if (line.startsWith(EFFECTIVE)) {
        long held = Long.parseUnsignedLong(line.substring(EFFECTIVE.length()).strip(), HEXADECIMAL);
        for (Capabilities needed : values()) {
          if ((held >>> needed.bit & 1) == 0) {
            missing.add(needed);
          }
        }
      }
    }
    return missing.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "this process lacks "
                + missing.stream()
                    .map(one -> one.name() + ", needed " + one.purpose)
                    .collect(Collectors.joining("; ")));
  }
}
