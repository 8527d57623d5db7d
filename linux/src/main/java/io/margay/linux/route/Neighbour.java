package io.margay.linux.route;

import io.margay.model.net.IpAddress;
import io.margay.model.net.MacAddress;

/// A permanent neighbour entry: an address that needs no ARP or neighbour discovery.
///
/// @param index the device
/// @param address the neighbour's address
/// @param mac where it answers
public record Neighbour(int index, IpAddress address, MacAddress mac) {}
