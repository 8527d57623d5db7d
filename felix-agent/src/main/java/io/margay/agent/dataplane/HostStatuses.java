package io.margay.agent.dataplane;

import io.margay.agent.dataplane.EndpointStatusListener.Status;
import io.margay.agent.firewall.FirewallManager;
import io.margay.agent.firewall.HostPlace;
import io.margay.linux.LinuxException;
import io.margay.model.net.InterfaceName;
import io.margay.policy.HostEndpointKey;
import java.util.Map;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Tells whether each host endpoint polices anything. Owned by the dataplane loop.
final class HostStatuses {

  private static final Logger LOG = LoggerFactory.getLogger(HostStatuses.class);

  private final FirewallManager firewall;
  private final LinkIndex links;
  private EndpointStatuses<HostEndpointKey> statuses = to(EndpointStatusListener.NONE);
  private boolean isDue = true;

  HostStatuses(FirewallManager firewall, LinkIndex links) {
    this.firewall = firewall;
    this.links = links;
  }

  private static EndpointStatuses<HostEndpointKey> to(EndpointStatusListener listener) {
    return new EndpointStatuses<>(listener::onHostStatus, listener::onHostGone);
  }

  void reportTo(EndpointStatusListener listener) {
    statuses = to(listener);
    isDue = true;
  }

  /// It is to change; until the kernel has taken that, it is what it was.
  void changing(HostEndpointKey endpoint) {
    statuses.changing(endpoint);
    isDue = true;
  }

  /// Interfaces or endpoints may have come or gone.
  void lookAgain() {
    isDue = true;
  }

  /// The kernel refused the last batch.
  void refused() {
    statuses.refused();
    isDue = true;
  }

  /// The kernel holds all rules.
  void settled() {
    if (isDue) {
      isDue = false;
      Map<HostEndpointKey, HostPlace> places = firewall.hostPlaces();
      statuses.settled(places.keySet(), key -> statusOf(Objects.requireNonNull(places.get(key))));
    }
  }

  /// One that polices nothing is an error, as Felix has it. Whether an interface has a carrier is
  /// not looked at.
  private Status statusOf(HostPlace place) {
    boolean there = place.isAll();
    for (InterfaceName name : place.interfaces()) {
      try {
        there |= links.find(name).isPresent();
      } catch (LinuxException refused) {
        LOG.atWarn()
            .addKeyValue("interface", name)
            .addKeyValue("reason", refused.getMessage())
            .log("a host endpoint's interface can't be looked up; it counts as not there");
      }
    }
    return there ? Status.UP : Status.ERROR;
  }
}
