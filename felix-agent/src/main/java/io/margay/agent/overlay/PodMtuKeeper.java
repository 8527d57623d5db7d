package io.margay.agent.overlay;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.spec.AttachmentId;
import io.margay.linux.LinuxException;
import io.margay.linux.netns.Netns;
import io.margay.linux.route.Link;
import io.margay.linux.route.Rtnetlink;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Gives pods that are wired already the MTU that new ones get, where they had the one that new
/// ones got before: both ends of their wires. A pod with another was given it by the network
/// configuration, and keeps it. The journal hears of it.
public final class PodMtuKeeper implements OverlayDriver.PodMtuListener, AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(PodMtuKeeper.class);

  private final AttachmentJournal journal;
  private final Wires wires;
  private final Rtnetlink host;
  private final ScheduledThreadPoolExecutor thread;

  /// Where wires are changed while nobody else works on them.
  @FunctionalInterface
  public interface Wires {

    /// @param change makes the change in the kernel, and tells whether it did
    /// @return whether the wire has another MTU now, and the journal knows
    boolean changeMtu(AttachmentId id, int mtu, Predicate<Attachment> change);
  }

  /// @param journal what is wired
  /// @param host the node's own links, used by this keeper alone, which closes it
  public PodMtuKeeper(AttachmentJournal journal, Wires wires, Rtnetlink host) {
    this.journal = journal;
    this.wires = wires;
    this.host = host;
    this.thread =
        new ScheduledThreadPoolExecutor(1, Thread.ofPlatform().daemon().name("pod-mtu").factory());
  }

  @Override
  public void onPodMtu(int before, int now) {
    try {
      thread.execute(() -> follow(before, now));
    } catch (RejectedExecutionException closed) {
      // The next start compares anew.
    }
  }

  /// @return how many pods have another MTU now
  int follow(int before, int now) {
    int changed = 0;
    for (JournalEntry entry : journal.all()) {
      if (wires.changeMtu(
          entry.attachment().id(), now, attachment -> follow(attachment, before, now))) {
        changed++;
      }
    }
    LOG.atInfo()
        .addKeyValue("from", before)
        .addKeyValue("to", now)
        .addKeyValue("pods", changed)
        .log("packets of another size fit; pods follow");
    return changed;
  }

  private boolean follow(Attachment attachment, int before, int now) {
    try {
      Optional<Link> hostEnd =
          host.links()
              .find(attachment.hostEnd())
              .filter(link -> link.alias().equals(Attachment.alias(attachment.id())))
              .filter(link -> link.mtu() == before);
      if (hostEnd.isEmpty()) {
        return false;
      }
      host.links().setMtu(hostEnd.get().index(), now);
      try (Netns netns = Netns.open(Path.of(attachment.netnsPath()))) {
        // Another namespace at the same path is another pod's.
        if (netns.id().equals(attachment.netns())) {
          inPod(attachment, netns, now);
        }
      }
      return true;
    } catch (LinuxException refused) {
      // The pod goes on with what it had: its larger packets are answered "too big" (RFC 1191).
      LOG.atWarn()
          .addKeyValue("attachment", attachment.id())
          .addKeyValue("reason", refused.getMessage())
          .log("a pod's MTU can't be changed; recreate the pod");
      return false;
    }
  }

  private static void inPod(Attachment attachment, Netns netns, int now) throws LinuxException {
    try (Rtnetlink pod = Rtnetlink.inNetns(netns.fd())) {
      Optional<Link> end = pod.links().find(attachment.id().ifName());
      if (end.isPresent()) {
        pod.links().setMtu(end.get().index(), now);
      }
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
    host.close();
  }
}
