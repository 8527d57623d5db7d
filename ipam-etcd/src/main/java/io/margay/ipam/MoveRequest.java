package io.margay.ipam;

import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.util.Map;

/// A wish to make over addresses that are in use already.
///
/// @param blockByAddress the addresses and the blocks they were taken from
/// @param from the handle that holds them as far as is known
/// @param to the handle that shall
/// @param node the node they are used on
/// @param attributes stored beside each address
/// @param sameTxn what else to commit
record MoveRequest(
    Map<IpAddress, Prefix> blockByAddress,
    String from,
    String to,
    String node,
    Map<String, String> attributes,
    SameTxn sameTxn) {

  MoveRequest {
    blockByAddress = Map.copyOf(blockByAddress);
    attributes = Map.copyOf(attributes);
  }
}
