package io.margay.cni.wiring;

import io.margay.cni.journal.Attachment;
import io.margay.cni.spec.AttachmentId;
import io.margay.linux.LinuxException;
import io.margay.linux.netlink.NetlinkListener;
import io.margay.linux.netlink.NetlinkMessage;
import io.margay.linux.netlink.NetlinkSocket;
import io.margay.linux.route.Link;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Hears of host ends that vanish from the agent's namespace, whoever took them away: we, a person,
/// or the kernel with the pod's namespace; and of those that were down for a while.
public final class LinkWatch implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(LinkWatch.class);

  private final NetlinkListener listener;

  private LinkWatch(NetlinkListener listener) {
    this.listener = listener;
  }

  /// Watches the calling thread's namespace. Both are called on the watching thread and must return
  /// soon.
  ///
  /// @param vanished told whose host end it was
  /// @param returned told whose host end carries packets again after somebody had set it down
  /// @param uncertain told that notifications were lost
  public static LinkWatch start(
      Consumer<AttachmentId> vanished, Consumer<AttachmentId> returned, Runnable uncertain)
      throws LinuxException {
    return new LinkWatch(
        NetlinkListener.start(
            "cni-links",
            NetlinkSocket.ROUTE,
            List.of(NetlinkListener.RTNLGRP_LINK),
            new Notifications(vanished, returned, uncertain)));
  }

  private static final class Notifications implements NetlinkListener.Events {
    private final Consumer<AttachmentId> vanished;
    private final Consumer<AttachmentId> returned;
    private final Runnable uncertain;

    /// Host ends that somebody set down, by their number: we make them up, and set down only what
    /// we delete.
    private final Set<Integer> down = new HashSet<>();

    Notifications(
        Consumer<AttachmentId> vanished, Consumer<AttachmentId> returned, Runnable uncertain) {
      this.vanished = vanished;
      this.returned = returned;
      this.uncertain = uncertain;
    }

    @Override
    public void onMessage(NetlinkMessage message) {
      try {
        Optional<Link> deleted = Link.deleted(message);
        if (deleted.isPresent()) {
          down.remove(deleted.get().index());
          Attachment.ofAlias(deleted.get().alias()).ifPresent(vanished);
        } else {
          follow(Link.parse(message));
        }
      } catch (LinuxException unreadable) {
        uncertain.run();
      }
    }

    private void follow(Link link) {
      if (!Attachment.isAlias(link.alias())) {
        return;
      }
      if (!link.isUp()) {
        down.add(link.index());
      } else if (link.isRunning() && down.remove(link.index())) {
        Attachment.ofAlias(link.alias()).ifPresent(returned);
      }
    }

    @Override
    public void onOverrun() {
      LOG.atInfo().log("notifications of links were lost; all attachments are looked at");
      uncertain.run();
    }

    @Override
    public void onFailure(LinuxException cause) {
      LOG.atError()
          .setCause(cause)
          .log("links are no longer watched; attachments are looked at now and then only");
      uncertain.run();
    }
  }

  @Override
  public void close() {
    listener.close();
  }
}
