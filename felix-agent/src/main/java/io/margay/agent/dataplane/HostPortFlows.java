package io.margay.agent.dataplane;

import io.margay.agent.firewall.HostPortMove;
import io.margay.linux.LinuxException;
import io.margay.linux.conntrack.Conntrack;
import io.margay.linux.conntrack.Flow;
import io.margay.model.net.IpAddress;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Rids connections of a port of the node that now leads elsewhere. The kernel decides where a
/// connection goes once, with its first packet; one that uses the same ports for ever, as DNS and
/// syslog clients do over UDP, would send to a dead pod for ever.
///
/// Owned by the dataplane loop.
public final class HostPortFlows implements HostPortMove.Listener {

  private static final Logger LOG = LoggerFactory.getLogger(HostPortFlows.class);

  private static final int UDP = 17;

  private final Conntrack conntrack;
  private final LocalAddresses node;

  /// The addresses of the node, of both families.
  public interface LocalAddresses {
    Set<IpAddress> read() throws LinuxException;
  }

  /// @param node asked on the dataplane loop only
  public HostPortFlows(Conntrack conntrack, LocalAddresses node) {
    this.conntrack = conntrack;
    this.node = node;
  }

  @Override
  public void onMoves(Iterable<HostPortMove> moves) {
    @Nullable Set<IpAddress> local = null;
    int deleted = 0;
    try {
      for (HostPortMove move : moves) {
        boolean hidden = mayHideArrival(move);
        if (hidden && move.hostIp() == null && local == null) {
          local = node.read();
        }
        Set<IpAddress> here = local == null ? Set.of() : local;
        if (hidden || move.before() != null) {
          deleted +=
              conntrack.deleteFlows(
                  move.family(),
                  move.protocol(),
                  move.hostPort(),
                  flow -> led(move, flow) || hidden && stayed(move, flow, here));
        }
      }
    } catch (LinuxException refused) {
      LOG.atWarn()
          .addKeyValue("reason", refused.getMessage())
          .log(
              "connections of a host port that moved can't be looked up; those that are open go"
                  + " on where they went");
    }
    if (deleted > 0) {
      LOG.atInfo()
          .addKeyValue("flows", deleted)
          .log("connections of host ports that moved are forgotten");
    }
  }

  /// A flow of UDP from before has no beginning to come. One of TCP has: what was open to the node
  /// itself stays with it.
  private static boolean mayHideArrival(HostPortMove move) {
    return move.after() != null && move.protocol() == UDP;
  }

  private static boolean led(HostPortMove move, Flow flow) {
    HostPortMove.Target before = move.before();
    return before != null
        && flow.answerer().equals(before.address())
        && flow.answererPort() == before.port()
        && !flow.isUntranslated()
        && (move.hostIp() == null || move.hostIp().equals(flow.destination()));
  }

  private static boolean stayed(HostPortMove move, Flow flow, Set<IpAddress> local) {
    return flow.isUntranslated()
        && (move.hostIp() == null
            ? local.contains(flow.destination())
            : move.hostIp().equals(flow.destination()));
  }
}
