package io.margay.cli.lab;

import io.margay.cli.lab.LabPlan.Link;
import io.margay.cli.lab.LabPlan.Trunk;
import io.margay.cli.lab.Topology.Node;
import io.margay.cli.lab.Topology.Tor;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.List;
import java.util.Set;

/// Network interfaces, addresses and routes of a lab as `ip -n NAMESPACE -batch -` reads them. A
/// link is created by the router's list, one between routers by that of the upper one; the order of
/// namespaces is that of [LabPlan#namespaces()].
final class LabCables {

  private final LabPlan plan;
  private final Topology topology;
  private final Set<IpFamily> families;

  LabCables(LabPlan plan) {
    this.plan = plan;
    this.topology = plan.topology();
    this.families = topology.addresses().families();
  }

  String management() {
    StringBuilder batch = new StringBuilder("link set dev lo up\nlink add name br0 type bridge\n");
    for (int member = 0; member < topology.etcdMembers(); member++) {
      address(batch, plan.etcdAddress(member), managementLength(), "br0");
    }
    batch.append("link set dev br0 up\n");
    for (Node node : topology.nodes()) {
      batch.append(
          "link add name %s master br0 up type veth peer name %s netns %s\n"
              .formatted(
                  node.name(), LabPlan.MANAGEMENT_INTERFACE, plan.machineNamespace(node.name())));
    }
    return batch.toString();
  }

  private int managementLength() {
    return topology.addresses().management().length();
  }

  /// Duplicates can't be, and an address that is still looked at is no use to a daemon that starts.
  private static void address(
      StringBuilder batch, IpAddress address, int length, String interfaceName) {
    String flag = address.family() == IpFamily.IPV6 ? " nodad" : "";
    batch.append("addr add %s/%d dev %s%s\n".formatted(address, length, interfaceName, flag));
  }

  private static void pair(StringBuilder batch, String own, String others, String namespace) {
    batch.append(
        "link add name %s type veth peer name %s netns %s\n".formatted(own, others, namespace));
  }

  private static void hardware(StringBuilder batch, String interfaceName, String address) {
    batch.append("link set dev %s address %s\n".formatted(interfaceName, address));
  }

  String tor(Tor tor) {
    StringBuilder batch = new StringBuilder("link set dev lo up\n");
    if (topology.isSegment()) {
      batch.append("link add name %s type bridge\n".formatted(LabPlan.SEGMENT));
      Link any = plan.linksOf(tor).getFirst();
      for (IpFamily family : families) {
        IpAddress own = family == IpFamily.IPV4 ? any.tor4() : any.tor6();
        address(batch, own, plan.linkLength(family), LabPlan.SEGMENT);
      }
      batch.append("link set dev %s up\n".formatted(LabPlan.SEGMENT));
    }
    for (Link link : plan.linksOf(tor)) {
      torEnd(batch, link);
    }
    for (Trunk trunk : plan.trunks()) {
      if (trunk.upper().equals(tor)) {
        String lower = trunk.lower().name();
        pair(batch, lower, tor.name(), plan.machineNamespace(lower));
        for (IpFamily family : families) {
          IpAddress own = family == IpFamily.IPV4 ? trunk.upper4() : trunk.upper6();
          address(batch, own, plan.linkLength(family), lower);
        }
        batch.append("link set dev %s up\n".formatted(lower));
      } else if (trunk.lower().equals(tor)) {
        for (IpFamily family : families) {
          IpAddress own = family == IpFamily.IPV4 ? trunk.lower4() : trunk.lower6();
          address(batch, own, plan.linkLength(family), trunk.upper().name());
        }
        batch.append("link set dev %s up\n".formatted(trunk.upper().name()));
      }
    }
    return batch.toString();
  }

  private void torEnd(StringBuilder batch, Link link) {
    String node = link.node().name();
    pair(batch, node, link.tor().name(), plan.machineNamespace(node));
    if (topology.isSegment()) {
      batch.append("link set dev %s master %s\n".formatted(node, LabPlan.SEGMENT));
    } else if (plan.isUnnumbered()) {
      hardware(batch, node, plan.hardwareAddress(link.tor()));
    } else {
      for (IpFamily family : families) {
        IpAddress own = family == IpFamily.IPV4 ? link.tor4() : link.tor6();
        address(batch, own, plan.linkLength(family), node);
      }
    }
    batch.append("link set dev %s up\n".formatted(node));
  }

  String node(Node node) {
    StringBuilder batch = new StringBuilder("link set dev lo up\n");
    address(batch, plan.managementAddress(node), managementLength(), LabPlan.MANAGEMENT_INTERFACE);
    batch.append("link set dev %s up\n".formatted(LabPlan.MANAGEMENT_INTERFACE));
    for (Link link : plan.linksOf(node)) {
      String tor = link.tor().name();
      if (plan.isUnnumbered()) {
        hardware(batch, tor, plan.hardwareAddress(node));
      } else {
        for (IpFamily family : families) {
          IpAddress own = family == IpFamily.IPV4 ? link.node4() : link.node6();
          address(batch, own, plan.linkLength(family), tor);
        }
      }
      batch.append("link set dev %s up\n".formatted(tor));
    }
    if (topology.hasOverlay() && !topology.isSegment()) {
      // Routers tell nodes of pods only.
      Link first = plan.linksOf(node).getFirst();
      for (IpFamily family : families) {
        boolean four = family == IpFamily.IPV4;
        Topology.Addresses ranges = topology.addresses();
        for (Prefix others :
            four
                ? List.of(ranges.links4(), ranges.nodes4())
                : List.of(ranges.links6(), ranges.nodes6())) {
          batch.append(
              "route add %s via %s\n".formatted(others, four ? first.tor4() : first.tor6()));
        }
      }
    }
    if (plan.hasOwnAddress(node)) {
      for (IpFamily family : families) {
        batch.append(
            "addr add %s/%d dev lo\n".formatted(plan.nodeAddress(node, family), family.bits()));
      }
    }
    return batch.toString();
  }
}
