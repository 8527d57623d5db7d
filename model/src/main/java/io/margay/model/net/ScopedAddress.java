package io.margay.model.net;

import java.util.Comparator;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// An address, with the interface it is meant on where the address alone says nothing: a link-local
/// address exists once per link (RFC 4007 §6). Written `10.0.0.1` or `fe80::1%eth0`.
///
/// @param scope present for link-local IPv6 addresses that name their link; absent otherwise
public record ScopedAddress(IpAddress address, @Nullable InterfaceName scope)
    implements Comparable<ScopedAddress> {

  private static final Comparator<ScopedAddress> ORDER =
      Comparator.comparing(ScopedAddress::address)
          .thenComparing(
              ScopedAddress::scope,
              Comparator.nullsFirst(Comparator.<InterfaceName>naturalOrder()));

  public ScopedAddress {
    if (scope != null && !(address instanceof Ipv6Address && address.isLinkLocal())) {
      throw new IllegalArgumentException(
          address + "%" + scope + ": only an IPv6 link-local address can name an interface");
    }
  }

  /// The address without an interface.
  public static ScopedAddress of(IpAddress address) {
    return new ScopedAddress(address, null);
  }

  /// Parses an address literal, `%interface` behind it or not.
  ///
  /// @throws IllegalArgumentException naming what is wrong
  public static ScopedAddress parse(String text) {
    int percent = text.indexOf('%');
    return percent < 0
        ? of(IpAddress.parse(text))
        : new ScopedAddress(
            IpAddress.parse(text.substring(0, percent)),
            new InterfaceName(text.substring(percent + 1)));
  }

  public IpFamily family() {
    return address.family();
  }

  // Written out: what a record derives costs ten times as much until it is compiled well, and RIBs
  // compare from their first route on.
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ScopedAddress that
        && address.equals(that.address)
        && Objects.equals(scope, that.scope);
  }

  @Override
  public int hashCode() {
    return 31 * address.hashCode() + Objects.hashCode(scope);
  }

  @Override
  public int compareTo(ScopedAddress other) {
    return ORDER.compare(this, other);
  }

  @Override
  public String toString() {
    return scope == null ? address.toString() : address + "%" + scope;
  }
}
