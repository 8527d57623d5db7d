package io.margay.agent.birth;

import io.margay.agent.settings.AddressChoice;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.resource.AddressOnLink;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Which of the node's addresses is the node's address, by Calico's rules: links are looked at from
/// the highest number down, of each link the first global unicast address counts, patterns match
/// anywhere in a name. Unlike Calico it passes over links that are down. Pure.
final class AddressFinder {

  /// Links that software makes, by the start of their names: Calico's list.
  private static final Pattern SOFTWARE =
      Pattern.compile(
          "^(docker|cbr|dummy|podman|virbr|lxcbr|veth|lo|cali|tunl|flannel|kube-ipvs|cni"
              + "|vxlan\\.calico|vxlan-v6\\.calico|wireguard\\.cali|wg-v6\\.cali)");

  private static final Ipv4Address BROADCAST = new Ipv4Address(-1);

  private AddressFinder() {}

  /// An address, and where it was found.
  ///
  /// @param link empty for one that is on no link
  record Found(AddressOnLink address, Optional<InterfaceName> link) {

    @Override
    public String toString() {
      return address + link.map(name -> " on " + name).orElse("");
    }
  }

  /// @param links by their numbers
  /// @param sourceTowards the address that packets to a host are sent from, if there is a way
  static Optional<Found> find(
      AddressChoice choice,
      IpFamily family,
      List<HostLink> links,
      Function<String, Optional<IpAddress>> sourceTowards) {
    return switch (choice) {
      case AddressChoice.Given(IpAddress address) -> Optional.of(located(address, links));
      case AddressChoice.None _, AddressChoice.Unsaid _ -> Optional.empty();
      case AddressChoice.FirstFound _ ->
          first(links, family, link -> !SOFTWARE.matcher(link).find(), _ -> true);
      case AddressChoice.OnInterfaces(List<Pattern> names) ->
          first(links, family, link -> matches(names, link), _ -> true);
      case AddressChoice.SkippingInterfaces(List<Pattern> names) ->
          first(
              links,
              family,
              link -> !SOFTWARE.matcher(link).find() && !matches(names, link),
              _ -> true);
      case AddressChoice.InCidrs(var cidrs) ->
          first(
              links,
              family,
              _ -> true,
              address -> cidrs.stream().anyMatch(cidr -> cidr.contains(address)));
      case AddressChoice.CanReach(String host) ->
          sourceTowards.apply(host).map(address -> located(address, links));
    };
  }

  private static boolean matches(List<Pattern> names, String link) {
    return names.stream().anyMatch(name -> name.matcher(link).find());
  }

  private static Optional<Found> first(
      List<HostLink> links,
      IpFamily family,
      Predicate<String> ofLink,
      Predicate<IpAddress> ofAddress) {
    return links.reversed().stream()
        .filter(link -> link.isUp() && ofLink.test(link.name().value()))
        .flatMap(
            link ->
                usable(link, family)
                    .filter(found -> ofAddress.test(found.address()))
                    .map(found -> new Found(found, Optional.of(link.name()))))
        .findFirst();
  }

  private static Stream<AddressOnLink> usable(HostLink link, IpFamily family) {
    return link.addresses().stream()
        .filter(found -> found.address().family() == family && isGlobalUnicast(found.address()));
  }

  private static boolean isGlobalUnicast(IpAddress address) {
    return !address.isUnspecified()
        && !address.isLoopback()
        && !address.isLinkLocal()
        && !address.isMulticast()
        && !address.equals(BROADCAST);
  }

  /// With the length of the subnet it is on; alone when no link has it.
  private static Found located(IpAddress address, List<HostLink> links) {
    for (HostLink link : links) {
      for (AddressOnLink there : link.addresses()) {
        if (there.address().equals(address)) {
          return new Found(there, Optional.of(link.name()));
        }
      }
    }
    return new Found(new AddressOnLink(address, address.family().bits()), Optional.empty());
  }
}
