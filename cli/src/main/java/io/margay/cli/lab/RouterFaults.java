package io.margay.cli.lab;

import io.margay.cli.lab.Topology.Node;
import io.margay.cli.lab.Topology.Tor;
import java.util.List;

/// What befalls routers and links of a lab, other than a router's death ([Lab#killTor]).
public final class RouterFaults {

  private final LabPlan plan;

  public RouterFaults(LabPlan plan) {
    this.plan = plan;
  }

  /// A router hangs: its daemons answer nothing and its kernel forwards nothing, but its links stay
  /// up.
  public void hang(Tor tor) throws LabException {
    forward(tor, false);
    signal(tor, "STOP");
  }

  /// The router goes on where it was.
  public void resume(Tor tor) throws LabException {
    forward(tor, true);
    signal(tor, "CONT");
  }

  private void forward(Tor tor, boolean on) throws LabException {
    String value = on ? "1" : "0";
    Command.in(
            plan.machineNamespace(tor.name()),
            "sysctl",
            "-qw",
            "net.ipv4.ip_forward=" + value,
            "net.ipv6.conf.all.forwarding=" + value)
        .output();
  }

  private void signal(Tor tor, String signal) throws LabException {
    for (ProcessHandle process :
        Namespaces.processesIn(List.of(plan.machineNamespace(tor.name())))) {
      Command.of("kill", "-" + signal, Long.toString(process.pid())).output();
    }
  }

  /// A cable is cut: both ends lose their carrier, the node's first.
  public void cut(Node node, Tor tor) throws LabException {
    link(node, tor, "down");
  }

  /// The cable is whole again.
  public void mend(Node node, Tor tor) throws LabException {
    link(node, tor, "up");
  }

  private void link(Node node, Tor tor, String state) throws LabException {
    String router = plan.machineNamespace(tor.name());
    Command.of("ip", "-n", router, "link", "set", "dev", node.name(), state).output();
  }
}
