package io.margay.agent.bgp;

import io.margay.model.net.Asn;
import io.margay.model.net.IpFamily;
import io.margay.model.net.ScopedAddress;
import io.margay.model.resource.BGPPeerSpec;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/// A session that resources ask this node to hold.
///
/// @param source the resource, for people
/// @param description what peers' listings call it
/// @param address the other end
/// @param port where the other end listens
/// @param asn what its OPEN must name
/// @param families what is exchanged
/// @param passive whether the other end dials
/// @param clusterId that of the node at the other end if it reflects; else empty
/// @param reversed whether this node is the end the resource points at
/// @param spec how the session is to be
/// @param bfd what the resource's annotation says of BFD
record Peering(
    String source,
    String description,
    PeerOrigin origin,
    ScopedAddress address,
    int port,
    Asn asn,
    Set<IpFamily> families,
    boolean passive,
    String clusterId,
    boolean reversed,
    BGPPeerSpec spec,
    Optional<String> bfd) {

  Peering {
    families = Collections.unmodifiableSet(EnumSet.copyOf(families));
  }
}
