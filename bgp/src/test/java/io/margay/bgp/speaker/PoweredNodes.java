package io.margay.bgp.speaker;

import io.margay.bgp.sim.VirtualTime;
import io.margay.model.net.ScopedAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;

/// A world whose nodes never lose their power.
abstract class PoweredNodes implements SimNode.World {

  final Random random;
  final VirtualTime time;
  final Map<Set<ScopedAddress>, SimLink> links = new HashMap<>();
  final Map<ScopedAddress, SimNode> nodes = new TreeMap<>();

  PoweredNodes(Random random) {
    this.random = random;
    this.time = new VirtualTime(random);
  }

  @Override
  public VirtualTime time() {
    return time;
  }

  @Override
  public Random random() {
    return random;
  }

  @Override
  public SimLink link(ScopedAddress one, ScopedAddress other) {
    return links.computeIfAbsent(Set.of(one, other), _ -> new SimLink(time, random));
  }

  @Override
  public Optional<SimNode> listening(ScopedAddress address) {
    return Optional.ofNullable(nodes.get(address)).filter(SimNode::isAlive);
  }

  @Override
  public boolean hasPower(ScopedAddress address) {
    return nodes.containsKey(address);
  }

  @Override
  public void bug(SimNode where, Throwable bug) {
    throw new AssertionError("a bug in " + where.address(), bug);
  }
}
