package io.margay.ipam;

import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.List;
import java.util.Map;

/// A wish for addresses, as desired state: after success the handle holds at least this many.
/// Addresses the handle already has count, so the same request twice, or again after an unknown
/// outcome, leaks nothing.
///
/// @param handleId who holds them: `<network>.<containerID>` for a pod
/// @param node the node they are for, or `virtual:<name>`
/// @param ipv4Count how many IPv4 addresses, 0..{@link #MAX_ADDRESSES}
/// @param ipv6Count how many IPv6 addresses; with both families it is all or nothing
/// @param attributes stored beside each address: `pod`, `namespace`, `node`, `timestamp`…
/// @param pools CIDRs of the only pools to use, regardless of their selectors; a family without one
///   uses those that select the node
/// @param sameTxn what else to commit with the addresses
/// @param terms what they are for
public record AssignRequest(
    String handleId,
    String node,
    int ipv4Count,
    int ipv6Count,
    Map<String, String> attributes,
    List<Prefix> pools,
    SameTxn sameTxn,
    AssignTerms terms) {

  /// The most addresses of a family in one request.
  public static final int MAX_ADDRESSES = 32;

  public AssignRequest {
    requireHandle(handleId);
    requireNode(node);
    attributes = Map.copyOf(attributes);
    pools = List.copyOf(pools);
    if (ipv4Count < 0
        || ipv6Count < 0
        || ipv4Count > MAX_ADDRESSES
        || ipv6Count > MAX_ADDRESSES
        || ipv4Count + ipv6Count == 0) {
      throw new IllegalArgumentException(
          "handle "
              + handleId
              + " asks for "
              + ipv4Count
              + " IPv4 and "
              + ipv6Count
              + " IPv6 addresses; expected 0.."
              + MAX_ADDRESSES
              + " each and not both 0");
    }
  }

  /// For a pod of any namespace.
  public AssignRequest(
      String handleId,
      String node,
      int ipv4Count,
      int ipv6Count,
      Map<String, String> attributes,
      List<Prefix> pools,
      SameTxn sameTxn) {
    this(handleId, node, ipv4Count, ipv6Count, attributes, pools, sameTxn, AssignTerms.WORKLOAD);
  }

  /// This request for something else.
  public AssignRequest with(AssignTerms other) {
    return new AssignRequest(
        handleId, node, ipv4Count, ipv6Count, attributes, pools, sameTxn, other);
  }

  Pools.Asker asker() {
    return new Pools.Asker(node, terms.namespace(), terms.use(), pools);
  }

  int count(IpFamily family) {
    return switch (family) {
      case IPV4 -> ipv4Count;
      case IPV6 -> ipv6Count;
    };
  }

  static void requireHandle(String handleId) {
    if (handleId.isEmpty() || handleId.indexOf('/') >= 0) {
      throw new IllegalArgumentException(
          "\"" + handleId + "\" is not a handle: it must not be empty or contain /");
    }
  }

  static void requireNode(String node) {
    if (node.isEmpty() || node.indexOf('/') >= 0) {
      throw new IllegalArgumentException(
          "\"" + node + "\" is not a node name: it must not be empty or contain /");
    }
  }
}
