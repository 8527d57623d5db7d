package io.margay.cni.wiring;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.Duty;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.Bandwidth;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.linux.Errno;
import io.margay.linux.LinuxException;
import io.margay.linux.netns.Sysctl;
import io.margay.linux.route.Link;
import io.margay.linux.route.Links;
import io.margay.linux.traffic.Shaping;
import io.margay.linux.traffic.TokenBucket;
import io.margay.linux.traffic.Traffic;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpFamily;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/// Limits of a pod's traffic. What goes to the pod is shaped by its host end. What comes from it,
/// the host end hands to an `ifb` of the pod's own, which shapes it and gives it back; policy then
/// sees it come from the pod as ever.
///
/// The host end takes all of it along when it goes, but for the ifb. One thread at a time.
final class PodBandwidth {

  /// Marks an ifb. Not the host end's mark: a pod is there as long as its host end is.
  private static final String ALIAS_PREFIX = "margay-ifb:";

  /// In front of the attachment where the host end is another plugin's, and bears no mark.
  private static final String ON_FOREIGN_END = "chained:";

  private static final String NAME_PREFIX = "mgyb";

  private static final int BITS = 8;

  private final Links links;
  private final Traffic traffic;

  /// The marks of the ifbs there are: a pod without one costs nothing when it goes.
  private final Set<String> ifbs = new HashSet<>();

  private PodBandwidth(Links links, Traffic traffic) {
    this.links = links;
    this.traffic = traffic;
  }

  /// Works in the calling thread's namespace. Ifbs of an earlier process are known again; those
  /// whose host end is gone are removed.
  static PodBandwidth open(Links links, Remover remover) throws LinuxException {
    PodBandwidth bandwidth = new PodBandwidth(links, Traffic.open());
    try {
      bandwidth.takeOver(remover);
      return bandwidth;
    } catch (LinuxException failure) {
      bandwidth.close();
      throw failure;
    }
  }

  private void takeOver(Remover remover) throws LinuxException {
    List<Link> all = links.list();
    Set<String> hostEnds = new HashSet<>();
    Set<InterfaceName> named = new HashSet<>();
    for (Link link : all) {
      hostEnds.add(link.alias());
      if (!isAlias(link.alias())) {
        named.add(ifbName(link.name()));
      }
    }
    for (Link link : all) {
      if (isAlias(link.alias()) && link.group() != LinkReaper.GROUP) {
        ifbs.add(link.alias());
        String of = link.alias().substring(ALIAS_PREFIX.length());
        boolean isInUse =
            of.startsWith(ON_FOREIGN_END)
                ? named.contains(link.name())
                : hostEnds.contains(Attachment.ALIAS_PREFIX + of);
        if (!isInUse) {
          remove(link, remover);
        }
      }
    }
  }

  void close() {
    traffic.close();
  }

  private void remove(Link ifb, Remover remover) throws LinuxException {
    remover.remove(ifb);
    ifbs.remove(ifb.alias());
  }

  /// The ifb's name follows from the host end's, whose last characters tell it from all others, so
  /// that both are found alike.
  static InterfaceName ifbName(InterfaceName hostEnd) {
    String name = hostEnd.value();
    int free = InterfaceName.MAX_OCTETS - NAME_PREFIX.length();
    return new InterfaceName(NAME_PREFIX + name.substring(Math.max(0, name.length() - free)));
  }

  static String alias(AttachmentId id) {
    return ALIAS_PREFIX + id;
  }

  private static String foreignAlias(AttachmentId id) {
    return ALIAS_PREFIX + ON_FOREIGN_END + id;
  }

  private static String alias(Attachment attachment) {
    return isOnForeignEnd(attachment) ? foreignAlias(attachment.id()) : alias(attachment.id());
  }

  private static boolean isOnForeignEnd(Attachment attachment) {
    return attachment.duty() instanceof Duty.Policed;
  }

  static boolean isAlias(String alias) {
    return alias.startsWith(ALIAS_PREFIX);
  }

  /// @throws CniException 107 when a stranger has the ifb's name
  void limit(Attachment attachment, int hostIndex, Bandwidth bandwidth, Remover remover)
      throws LinuxException, CniException {
    if (bandwidth.ingressRate() > 0) {
      traffic.shape(hostIndex, toPod(bandwidth));
    }
    if (bandwidth.egressRate() > 0) {
      InterfaceName name = ifbName(attachment.hostEnd());
      Optional<Link> present = links.find(name);
      if (present.isPresent()) {
        if (!mayReplace(present.get(), attachment)) {
          throw new CniException(
              CniError.INTERFACE_NOT_OURS,
              "interface "
                  + name
                  + ", to limit what "
                  + attachment.id()
                  + " sends, exists and is not ours; delete it or find out who made it");
        }
        remove(present.get(), remover);
      }
      Link ifb = links.createIfb(name, attachment.mtu(), alias(attachment));
      ifbs.add(ifb.alias());
      withoutIpv6(name);
      links.setUp(ifb.index());
      traffic.shape(ifb.index(), fromPod(bandwidth));
      traffic.redirect(hostIndex, ifb.index());
    }
  }

  /// Of host ends that another plugin named, two may share the characters that an ifb's name keeps.
  private static boolean mayReplace(Link ifb, Attachment attachment) {
    return ifb.group() == Links.NEWBORN_GROUP
        || (isOnForeignEnd(attachment)
            ? ifb.alias().equals(alias(attachment))
            : isAlias(ifb.alias()));
  }

  /// Takes the limits from a host end that stays.
  void unlimit(int hostIndex) throws LinuxException {
    if (traffic.shaping(hostIndex).isPresent()) {
      traffic.endShaping(hostIndex);
    }
    if (traffic.redirection(hostIndex).isPresent()) {
      traffic.endRedirection(hostIndex);
    }
  }

  /// How a device is put away.
  interface Remover {
    void remove(Link link) throws LinuxException;
  }

  /// The device is nobody's neighbour.
  private static void withoutIpv6(InterfaceName name) throws LinuxException {
    try {
      Sysctl.ofInterface(IpFamily.IPV6, name, "disable_ipv6").write("1");
    } catch (LinuxException failure) {
      // A kernel without IPv6 has nothing to switch off.
      if (!failure.is(Errno.ENOENT)) {
        throw failure;
      }
    }
  }

  private static TokenBucket toPod(Bandwidth bandwidth) {
    return new TokenBucket(bandwidth.ingressRate() / BITS, bandwidth.ingressBurst() / BITS);
  }

  private static TokenBucket fromPod(Bandwidth bandwidth) {
    return new TokenBucket(bandwidth.egressRate() / BITS, bandwidth.egressBurst() / BITS);
  }

  /// Takes away what the host end does not take along.
  void lift(AttachmentId id, Remover remover) throws LinuxException {
    Set<String> aliases = Set.of(alias(id), foreignAlias(id));
    if (aliases.stream().noneMatch(ifbs::contains)) {
      return;
    }
    for (Link link : links.list()) {
      if (aliases.contains(link.alias()) && link.group() != LinkReaper.GROUP) {
        remover.remove(link);
      }
    }
    ifbs.removeAll(aliases);
  }

  /// What is not as {@link #limit} left it.
  void verify(Attachment attachment, Link hostEnd, Bandwidth bandwidth, List<String> problems)
      throws LinuxException {
    if (bandwidth.ingressRate() > 0) {
      verify(hostEnd, toPod(bandwidth), problems);
    }
    if (bandwidth.egressRate() > 0) {
      InterfaceName name = ifbName(attachment.hostEnd());
      String alias = alias(attachment);
      Optional<Link> ifb = links.find(name).filter(link -> link.alias().equals(alias));
      if (ifb.isEmpty()) {
        problems.add("interface " + name + ", which limits what the pod sends, is gone");
        return;
      }
      if (!ifb.get().isUp()) {
        problems.add("interface " + name + ", which limits what the pod sends, is down");
      }
      verify(ifb.get(), fromPod(bandwidth), problems);
      if (!traffic.redirection(hostEnd.index()).equals(OptionalInt.of(ifb.get().index()))) {
        problems.add(
            "host interface " + hostEnd.name() + " does not send what it receives through " + name);
      }
    }
  }

  private void verify(Link link, TokenBucket bucket, List<String> problems) throws LinuxException {
    Optional<Shaping> shaping = traffic.shaping(link.index());
    if (shaping.isEmpty() || !shaping.get().isBy(bucket)) {
      problems.add(
          "interface "
              + link.name()
              + " is not limited to "
              + bucket.rate()
              + " octets a second, "
              + bucket.burst()
              + " at once");
    }
  }
}
