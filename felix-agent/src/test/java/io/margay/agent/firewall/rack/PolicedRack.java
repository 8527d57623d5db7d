package io.margay.agent.firewall.rack;

import io.margay.agent.firewall.TunnelGuard;
import io.margay.linux.conntrack.Conntrack;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/// The ends of `world.yaml`, and nodes that police them as documents say.
final class PolicedRack implements AutoCloseable {

  private final World base;
  private final PacketRack rack;
  private final Map<String, NodePolicy> nodes = new LinkedHashMap<>();
  private final Volley volley;
  private World world = World.EMPTY;

  PolicedRack() throws Exception {
    this(PacketRack.BARE);
  }

  /// @param bare the node that uses nothing of its kernel that is probed
  PolicedRack(String bare) throws Exception {
    base = World.EMPTY.with(MatrixRow.text("world.yaml"));
    rack = new PacketRack(base.endpoints());
    volley = new Volley(rack);
    for (String node : PacketRack.NODES) {
      nodes.put(node, new NodePolicy(node, rack.nftables(node, bare)));
    }
  }

  /// Has these documents and no others, beside `world.yaml`, be what the nodes know.
  void police(String documents) throws Exception {
    World next = base.with(documents);
    for (NodePolicy node : nodes.values()) {
      node.learn(world.changesTo(next));
      node.write();
    }
    world = next;
  }

  void setTunnelGuard(TunnelGuard guard) throws Exception {
    for (NodePolicy node : nodes.values()) {
      node.setTunnelGuard(guard);
      node.write();
    }
  }

  Port port(String end) {
    return rack.port(end);
  }

  Volley volley() {
    return volley;
  }

  Conntrack conntrack(String node) throws IOException {
    return rack.conntrack(node);
  }

  @Override
  public void close() throws IOException {
    nodes.values().forEach(NodePolicy::close);
    rack.close();
  }
}
