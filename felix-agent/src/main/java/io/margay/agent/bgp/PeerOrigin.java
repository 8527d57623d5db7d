package io.margay.agent.bgp;

/// Why this node has a peer, in the words of a CalicoNodeStatus.
public enum PeerOrigin {
  /// The node-to-node mesh.
  NODE_MESH("NodeMesh"),
  /// A BGPPeer for this node or for selected ones, or one that has this node as its other end.
  NODE_PEER("NodePeer"),
  /// A BGPPeer for all nodes.
  GLOBAL_PEER("GlobalPeer");

  private final String text;

  PeerOrigin(String text) {
    this.text = text;
  }

  /// As the API has it.
  public String text() {
    return text;
  }
}
