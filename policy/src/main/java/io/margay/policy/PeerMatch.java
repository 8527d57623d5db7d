package io.margay.policy;

import io.margay.model.net.Prefix;
import java.util.List;

/// What one end of a packet must be. All given fields are ANDed; an empty match is any address.
///
/// @param nets the address lies in one of these; empty list = no constraint
/// @param notNets the address lies in none of these
/// @param sets the address is in **every** one of these sets (kind [SetKind#NETS])
/// @param notSets the address is in none of these sets
/// @param ports the port lies in one of these, **or** one of `namedPorts` matches; both empty = no
///   constraint
/// @param namedPorts sets of kind [SetKind#NAMED_PORTS]; (address, protocol, port) is in one of
///   them
/// @param notPorts the port lies in none of these, **and** none of `notNamedPorts` matches
/// @param notNamedPorts sets of kind [SetKind#NAMED_PORTS]
public record PeerMatch(
    List<Prefix> nets,
    List<Prefix> notNets,
    List<SetId> sets,
    List<SetId> notSets,
    List<PortRange> ports,
    List<SetId> namedPorts,
    List<PortRange> notPorts,
    List<SetId> notNamedPorts) {

  /// Matches every address and port.
  public static final PeerMatch ANY =
      new PeerMatch(
          List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), List.of());

  public PeerMatch {
    nets = List.copyOf(nets);
    notNets = List.copyOf(notNets);
    sets = List.copyOf(sets);
    notSets = List.copyOf(notSets);
    ports = List.copyOf(ports);
    namedPorts = List.copyOf(namedPorts);
    notPorts = List.copyOf(notPorts);
    notNamedPorts = List.copyOf(notNamedPorts);
  }
}
