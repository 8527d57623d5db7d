package io.margay.bgp.message;

import io.margay.model.net.Asn;
import io.margay.model.net.RouterId;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// How a session begins (RFC 4271 §4.2).
///
/// @param asn the sender's AS number: that of the 4-octet capability if present, else the header's
/// @param holdTime the sender's proposal in whole seconds
public record Open(Asn asn, Duration holdTime, RouterId routerId, List<Capability> capabilities)
    implements Message {
  public Open {
    capabilities = List.copyOf(capabilities);
    if (holdTime.isNegative() || holdTime.toSeconds() > 0xffff) {
      throw new IllegalArgumentException("hold time " + holdTime + " exceeds 16 bits of seconds");
    }
  }

  /// The last capability of a kind, as RFC 4724 §3 wants it of graceful restart; families of those
  /// that may come in pieces are asked by their own methods.
  public <C extends Capability> Optional<C> capability(Class<C> kind) {
    for (Capability capability : capabilities.reversed()) {
      if (kind.isInstance(capability)) {
        return Optional.of(kind.cast(capability));
      }
    }
    return Optional.empty();
  }

  /// What the sender says of path identifiers in a family, in whichever capability (RFC 7911 §4).
  public Optional<Capability.AddPath.Family> addPath(AfiSafi family) {
    for (Capability capability : capabilities.reversed()) {
      if (capability instanceof Capability.AddPath addPath) {
        Optional<Capability.AddPath.Family> said = addPath.of(family);
        if (said.isPresent()) {
          return said;
        }
      }
    }
    return Optional.empty();
  }

  /// Whether the sender takes IPv6 next hops for routes of a family (RFC 8950 §4).
  public boolean takesIpv6NextHop(AfiSafi family) {
    Capability.ExtendedNextHop.Encoding wanted =
        new Capability.ExtendedNextHop.Encoding(family, Capability.ExtendedNextHop.IPV6_NEXT_HOP);
    for (Capability capability : capabilities) {
      if (capability instanceof Capability.ExtendedNextHop extended
          && extended.encodings().contains(wanted)) {
        return true;
      }
    }
    return false;
  }

  /// Whether the sender exchanges routes of the family. One that names no family at all speaks IPv4
  /// unicast (RFC 4760 §8).
  public boolean speaks(AfiSafi family) {
    boolean named = false;
    for (Capability capability : capabilities) {
      if (capability instanceof Capability.MultiProtocol(AfiSafi offered)) {
        if (offered.equals(family)) {
          return true;
        }
        named = true;
      }
    }
    return !named && family.equals(AfiSafi.IPV4_UNICAST);
  }
}
