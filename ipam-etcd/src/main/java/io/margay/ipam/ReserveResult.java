package io.margay.ipam;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.util.List;

/// What the reserve answers.
public sealed interface ReserveResult {

  /// The addresses are the handle's, and the disk knows.
  ///
  /// @param addresses IPv4 first
  record Taken(List<IpAddress> addresses) implements ReserveResult {
    public Taken {
      addresses = List.copyOf(addresses);
    }
  }

  /// The reserve has none left that may be used. Nothing was taken.
  record Exhausted(IpFamily family, String reason) implements ReserveResult {}
}
