package io.margay.bgp.message;

import io.margay.model.net.Asn;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

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

  /// Takes a next hop of IPv6 for routes that are not (RFC 8950 §4).
  record ExtendedNextHop(List<Encoding> encodings) implements Capability {

    /// AFI of an IPv6 next hop.
    public static final int IPV6_NEXT_HOP = 2;

    public ExtendedNextHop {
      encodings = List.copyOf(encodings);
    }

    /// @param family of the routes
    /// @param nextHopAfi 16 bits: what their next hop may be besides
    public record Encoding(AfiSafi family, int nextHopAfi) {
      public Encoding {
        if (nextHopAfi < 0 || nextHopAfi > 0xffff) {
          throw new IllegalArgumentException("next hop AFI " + nextHopAfi + " exceeds 16 bits");
        }
      }
    }

    /// IPv6 next hops for routes of these families.
    public static ExtendedNextHop ipv6For(AfiSafi... families) {
      return new ExtendedNextHop(
          Stream.of(families).map(family -> new Encoding(family, IPV6_NEXT_HOP)).toList());
    }

    @Override
    public String toString() {
      return "extended-next-hop"
          + encodings.stream().map(one -> one.family().toString()).distinct().toList();
    }
  }

  /// Tells several routes of one prefix apart by a path identifier (RFC 7911 §4).
  record AddPath(List<Family> families) implements Capability {
    public AddPath {
      families = List.copyOf(families);
    }

    /// @param receive the sender of the OPEN can take several routes
    /// @param send it would like to send several
    public record Family(AfiSafi family, boolean receive, boolean send) {
      public Family {
        if (!receive && !send) {
          throw new IllegalArgumentException("add-path for " + family + " neither way");
        }
      }
    }

    /// What is said of one family, when anything is.
    public Optional<Family> of(AfiSafi family) {
      return families.stream().filter(one -> one.family().equals(family)).findFirst();
    }

    @Override
    public String toString() {
      return "add-path"
          + families.stream()
              .map(
                  one ->
                      one.family()
                          + (one.receive() && one.send()
                              ? " both"
                              : one.receive() ? " receive" : " send"))
              .toList();
    }
  }

  /// Keeps forwarding through a restart of its BGP process, or respects that of others (RFC 4724
  /// §3).
  ///
  /// @param restarting the R bit: this OPEN follows a restart
  /// @param notification the N bit: a NOTIFICATION or an expired hold timer ends the session as
  ///   gently as a lost connection, unless it is a hard reset (RFC 8538 §2)
  /// @param restartTime how long the sender may be away, 0 to 4095 s
  /// @param families what it keeps; empty: it only helps others
  record GracefulRestart(
      boolean restarting, boolean notification, Duration restartTime, List<Kept> families)
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

    /// Without the N bit.
    public GracefulRestart(boolean restarting, Duration restartTime, List<Kept> families) {
      this(restarting, false, restartTime, families);
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
          + (notification ? ", notification" : "")
          + ")";
    }
  }

  /// One we do not use; kept so that people can see it.
  ///
  /// @param value up to 255 octets
  record Unknown(int code, Octets value) implements Capability {

    private static final int MAX_OCTETS = 255;

    public Unknown {
      if (code < 0 || code > 0xff || value.length() > MAX_OCTETS) {
        throw new IllegalArgumentException(
            "capability " + code + " of " + value.length() + " octets is out of range");
      }
    }

    /// The name in IANA's registry, where people will have met it.
    @Override
    public String toString() {
      return switch (code) {
        case 6 -> "extended-message";
        case 9 -> "role";
        case 69 -> "add-path (malformed)";
        case 70 -> "enhanced-route-refresh";
        case 71 -> "long-lived-graceful-restart";
        case 73 -> "fqdn";
        case 75 -> "software-version";
        case 128 -> "route-refresh (old)";
        default -> "capability-" + code;
      };
    }
  }
}
