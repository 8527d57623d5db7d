package io.margay.bgp.message;

import io.margay.model.net.Asn;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// Something a speaker can do, as its OPEN says (RFC 5492).
public sealed interface Capability {

  /// Exchanges routes of a family (RFC 4760 §8).
  record MultiProtocol(AfiSafi family) implements Capability {
    @Override
    public String toString() {
      return family.toString();
    }
  }

  /// Answers ROUTE-REFRESH (RFC 2918 §2).
  record RouteRefreshing() implements Capability {
    @Override
    public String toString() {
      return "route-refresh";
    }
  }

  /// Speaks 4-octet AS numbers, and which is its own (RFC 6793 §3).
  record FourOctetAs(Asn asn) implements Capability {
    @Override
    public String toString() {
      return "four-octet-as";
    }
  }

  /// Keeps forwarding through a restart of its BGP process, or respects that of others (RFC 4724
  /// §3).
  ///
  /// @param restarting the R bit: this OPEN follows a restart
  /// @param restartTime how long the sender may be away, 0 to 4095 s
  /// @param families what it keeps; empty: it only helps others
  record GracefulRestart(boolean restarting, Duration restartTime, List<Kept> families)
      implements Capability {

    /// 12 bits of seconds.
    public static final int MAX_RESTART_SECONDS = 4095;

    public GracefulRestart {
      families = List.copyOf(families);
      if (restartTime.isNegative() || restartTime.toSeconds() > MAX_RESTART_SECONDS) {
        throw new IllegalArgumentException(
            "restart time " + restartTime + " exceeds 12 bits of seconds");
      }
    }

    /// @param forwarding the F bit: forwarding state was kept over the last restart
    public record Kept(AfiSafi family, boolean forwarding) {}

    /// What is said of one family, when anything is.
    public Optional<Kept> of(AfiSafi family) {
      for (Kept kept : families) {
        if (kept.family().equals(family)) {
          return Optional.of(kept);
        }
      }
      return Optional.empty();
    }

    @Override
    public String toString() {
      return "graceful-restart("
          + restartTime.toSeconds()
          + "s"
          + (restarting ? ", restarting" : "")
          + ")";
    }
  }

  /// One we do not know; kept so that people can see it.
  record Unknown(int code, Octets value) implements Capability {
    @Override
    public String toString() {
      return "capability-" + code;
    }
  }
}
