package io.margay.agent.birth;

import io.margay.cni.journal.Attachment;
import io.margay.cni.spec.AttachmentId;
import io.margay.linux.Errno;
import io.margay.linux.LinuxException;
import io.margay.linux.route.Link;
import io.margay.linux.route.Links;
import io.margay.model.net.InterfaceName;
import io.margay.model.resource.WorkloadEndpoint;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Pods that Calico's plugin wired on this node: the datastore has their endpoints, the kernel
/// their wires, but no journal of ours knows them. Their policy and routes follow from the
/// endpoints, as any pod's; what they lack is our mark on the host end, by which a DEL finds the
/// wire to cut, a pod of the same name may replace it, and their addresses are known to be in use.
public final class CalicoPods {

  private static final Logger LOG = LoggerFactory.getLogger(CalicoPods.class);

  private static final String VETH = "veth";
  private static final String PREFIX = "cali";

  private CalicoPods() {}

  /// Marks the host ends that endpoints of this node name and nobody has marked. What can't be
  /// marked is served all the same.
  ///
  /// @param endpoints of this node, from the datastore
  /// @param isKnown attachments of our own, whose wires may be another plugin's
  public static void mark(
      List<WorkloadEndpoint> endpoints, Predicate<AttachmentId> isKnown, Links links) {
    try {
      Map<InterfaceName, Link> unmarked = new HashMap<>();
      for (Link link : links.list()) {
        if (link.alias().isEmpty()
            && link.kind().equals(VETH)
            && link.name().value().startsWith(PREFIX)) {
          unmarked.put(link.name(), link);
        }
      }
      for (WorkloadEndpoint endpoint : endpoints) {
        Link link = unmarked.get(endpoint.spec().interfaceName());
        if (link != null) {
          mark(endpoint, link, isKnown, links);
        }
      }
    } catch (LinuxException refused) {
      LOG.atWarn()
          .addKeyValue("reason", refused.getMessage())
          .log("wires of Calico's can't be marked; the next start tries again");
    }
  }

  private static void mark(
      WorkloadEndpoint endpoint, Link link, Predicate<AttachmentId> isKnown, Links links)
      throws LinuxException {
    String container = endpoint.spec().containerID();
    String name = endpoint.spec().endpoint();
    if (container == null || name == null) {
      return;
    }
    AttachmentId id;
    try {
      id = new AttachmentId(container, new InterfaceName(name));
    } catch (IllegalArgumentException odd) {
      LOG.atWarn()
          .addKeyValue("endpoint", endpoint.ref())
          .addKeyValue("reason", odd.getMessage())
          .log("a pod that we did not wire is served, but no DEL will find its wire");
      return;
    }
    if (isKnown.test(id)) {
      return;
    }
    try {
      links.setAlias(link.index(), Attachment.alias(id));
    } catch (LinuxException refused) {
      if (refused.is(Errno.ENODEV)) {
        return;
      }
      throw refused;
    }
    LOG.atInfo()
        .addKeyValue("endpoint", endpoint.ref())
        .addKeyValue("interface", link.name())
        .addKeyValue("attachment", id)
        .log("a pod that Calico wired is ours now");
  }
}
