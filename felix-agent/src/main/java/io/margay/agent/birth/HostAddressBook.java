package io.margay.agent.birth;

import io.margay.agent.settings.AddressChoice;
import io.margay.linux.LinuxException;
import io.margay.linux.route.Rtnetlink;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Finds addresses among those the kernel has now. One thread at a time.
final class HostAddressBook implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(HostAddressBook.class);

  private static final String POD_PREFIX = "cali";

  private final Rtnetlink netlink;

  private HostAddressBook(Rtnetlink netlink) {
    this.netlink = netlink;
  }

  /// Of the calling thread's namespace.
  static HostAddressBook open() throws LinuxException {
    return new HostAddressBook(Rtnetlink.open());
  }

  /// What a look could make of the kernel, less pods' own links, which come and go all the time.
  List<HostLink> links() throws LinuxException {
    return HostLink.list(netlink).stream()
        .filter(link -> !link.name().value().startsWith(POD_PREFIX))
        .toList();
  }

  Optional<AddressFinder.Found> find(AddressChoice choice, IpFamily family) throws LinuxException {
    List<HostLink> links = HostLink.list(netlink);
    return AddressFinder.find(choice, family, links, host -> sourceTowards(host, family));
  }

  private Optional<IpAddress> sourceTowards(String host, IpFamily family) {
    try {
      for (InetAddress resolved : InetAddress.getAllByName(host)) {
        IpAddress address = IpAddress.of(resolved.getAddress());
        if (address.family() == family) {
          Optional<IpAddress> source = netlink.routes().sourceTowards(address);
          if (source.isPresent()) {
            return source;
          }
        }
      }
      return Optional.empty();
    } catch (UnknownHostException | LinuxException unreachable) {
      LOG.atWarn()
          .addKeyValue("host", host)
          .addKeyValue("reason", unreachable.getMessage())
          .log("bgp.ipv4 or bgp.ipv6 can-reach: no way to that host is known");
      return Optional.empty();
    }
  }

  @Override
  public void close() {
    netlink.close();
  }
}
