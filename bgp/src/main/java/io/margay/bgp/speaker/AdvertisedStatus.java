package io.margay.bgp.speaker;

import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.util.List;

/// A route as a peer was told it.
public record AdvertisedStatus(
    Prefix prefix, IpAddress nextHop, String asPath, List<String> communities) {
  public AdvertisedStatus {
    communities = List.copyOf(communities);
  }
}
