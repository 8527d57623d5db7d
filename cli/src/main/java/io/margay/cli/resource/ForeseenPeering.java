package io.margay.cli.resource;

import io.margay.agent.bgp.BgpIntent;
import io.margay.agent.bgp.Passwords;
import io.margay.agent.calc.ClusterView;
import io.margay.agent.settings.AgentSettings;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.RouterId;
import java.util.List;
import java.util.Optional;

/// Which sessions a node's agent would have, worked out by the agent's own code from what is
/// stored. What only the node knows, its links and its settings file, is left out.
public final class ForeseenPeering {

  /// A name that no node has: for what nodes to come would do.
  public static final String NEWCOMER = "(a new node)";

  /// Of a node to come (RFC 5737).
  private static final Ipv4Address SOME_ADDRESS = Ipv4Address.parse("192.0.2.255");

  private ForeseenPeering() {}

  /// @param node its resource need not be there
  /// @return empty if it would not speak BGP: its AS is 0
  public static Optional<BgpIntent> of(String node, ClusterView view, Passwords passwords) {
    return BgpIntent.of(node, identity(node, view), view, List.of(), passwords);
  }

  /// Enough of an identity to see which sessions a node would have.
  private static AgentSettings.Bgp identity(String node, ClusterView view) {
    boolean isKnown = view.node(node).map(found -> found.spec().bgp()).isPresent();
    return new AgentSettings.Bgp(
        isKnown ? Optional.empty() : Optional.of(SOME_ADDRESS),
        Optional.empty(),
        Optional.empty(),
        Optional.of(new RouterId(1)),
        true);
  }
}
