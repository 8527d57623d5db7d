package io.margay.ipam;

import io.margay.model.net.IpAddress;
import java.util.Map;

/// A wish for one particular address.
///
/// @param handleId who will hold it; if it already does, that is success
/// @param node the node it is for; an unclaimed block around the address becomes this node's
/// @param attributes stored beside the address
/// @param sameTxn what else to commit with the address
public record AssignIpRequest(
    IpAddress address,
    String handleId,
    String node,
    Map<String, String> attributes,
    SameTxn sameTxn) {

  public AssignIpRequest {
    AssignRequest.requireHandle(handleId);
    AssignRequest.requireNode(node);
    attributes = Map.copyOf(attributes);
  }
}
