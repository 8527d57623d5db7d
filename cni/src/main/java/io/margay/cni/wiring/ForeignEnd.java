package io.margay.cni.wiring;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.Duty;
import io.margay.cni.spec.CniException;
import io.margay.linux.Errno;
import io.margay.linux.LinuxException;
import io.margay.linux.route.Link;
import io.margay.linux.route.Links;
import java.util.List;
import java.util.Optional;

/// The host end that a plugin before us made: not ours, so that what we did to it is taken back
/// before it goes. One thread at a time.
final class ForeignEnd {

  private final Links links;
  private final PodBandwidth bandwidth;
  private final PodBandwidth.Remover remover;

  ForeignEnd(Links links, PodBandwidth bandwidth, PodBandwidth.Remover remover) {
    this.links = links;
    this.bandwidth = bandwidth;
    this.remover = remover;
  }

  void equip(Attachment attachment) throws LinuxException, CniException {
    Optional<Link> hostEnd = links.find(attachment.hostEnd());
    if (hostEnd.isEmpty()) {
      throw new LinuxException("find link", attachment.hostEnd().value(), Errno.ENODEV);
    }
    if (!attachment.hostPorts().isEmpty()) {
      HostEndSettings.openHostPorts(attachment.hostEnd());
    }
    if (attachment.bandwidth().isPresent()) {
      int index = hostEnd.get().index();
      bandwidth.lift(attachment.id(), remover);
      bandwidth.unlimit(index);
      bandwidth.limit(attachment, index, attachment.bandwidth().get(), remover);
    }
  }

  /// The host end is left alone where it is not known to be the attachment's.
  void strip(Attachment attachment) throws LinuxException {
    Optional<Link> hostEnd =
        attachment.duty() instanceof Duty.Policed
            ? links.find(attachment.hostEnd())
            : Optional.empty();
    if (hostEnd.isPresent()) {
      if (!attachment.hostPorts().isEmpty()) {
        HostEndSettings.closeHostPorts(attachment.hostEnd());
      }
      if (attachment.bandwidth().isPresent()) {
        bandwidth.unlimit(hostEnd.get().index());
      }
    }
    bandwidth.lift(attachment.id(), remover);
  }

  void verify(Attachment attachment, List<String> problems) throws LinuxException {
    Optional<Link> hostEnd = links.find(attachment.hostEnd());
    if (hostEnd.isEmpty()) {
      problems.add("host interface " + attachment.hostEnd() + " is gone");
      return;
    }
    if (!attachment.hostPorts().isEmpty()) {
      HostEndSettings.verifyHostPorts(attachment.hostEnd(), problems);
    }
    if (attachment.bandwidth().isPresent()) {
      bandwidth.verify(attachment, hostEnd.get(), attachment.bandwidth().get(), problems);
    }
  }
}
