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

  /// The first capability of a kind; later ones of the same kind are ignored.
  public <C extends Capability> Optional<C> capability(Class<C> kind) {
    for (Capability capability : capabilities) {
      if (kind.isInstance(capability)) {
        return Optional.of(kind.cast(capability));
      }
    }
    return Optional.empty();
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
