package io.margay.ipam;

import io.margay.model.net.IpAddress;
import io.margay.model.resource.PoolUse;
import java.util.Map;
import java.util.Optional;

/// A wish for one particular address.
///
/// @param handleId who will hold it; if it already does, that is success
/// @param node the node it is for; an unclaimed block around the address becomes this node's
/// @param attributes stored beside the address
/// @param sameTxn what else to commit with the address
/// @param use if given, the pool's `allowedUses` must contain it
public record AssignIpRequest(
    IpAddress address,
    String handleId,
    String node,
    Map<String, String> attributes,
    SameTxn sameTxn,
    Optional<PoolUse> use) {

  public AssignIpRequest {
    AssignRequest.requireHandle(handleId);
    AssignRequest.requireNode(node);
    attributes = Map.copyOf(attributes);
  }

  /// For any use.
  public AssignIpRequest(
      IpAddress address,
      String handleId,
      String node,
      Map<String, String> attributes,
      SameTxn sameTxn) {
    this(address, handleId, node, attributes, sameTxn, Optional.empty());
  }
}
