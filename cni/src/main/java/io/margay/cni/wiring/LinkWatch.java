package io.margay.cni.wiring;

import io.margay.cni.journal.Attachment;
import io.margay.cni.spec.AttachmentId;
import io.margay.linux.LinuxException;
import io.margay.linux.netlink.NetlinkListener;
import io.margay.linux.netlink.NetlinkMessage;
import io.margay.linux.netlink.NetlinkSocket;
import io.margay.linux.route.Link;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Hears of host ends that vanish from the agent's namespace, whoever took them away: we, a person,
/// or the kernel with the pod's namespace.
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
  /// @param uncertain told that notifications were lost
  public static LinkWatch start(Consumer<AttachmentId> vanished, Runnable uncertain)
      throws LinuxException {
    return new LinkWatch(
        NetlinkListener.start(
            "cni-links",
            NetlinkSocket.ROUTE,
            List.of(NetlinkListener.RTNLGRP_LINK),
            new Notifications(vanished, uncertain)));
  }

  private record Notifications(Consumer<AttachmentId> vanished, Runnable uncertain)
      implements NetlinkListener.Events {

    @Override
    public void onMessage(NetlinkMessage message) {
      try {
        Optional<Link> deleted = Link.deleted(message);
        deleted.flatMap(link -> Attachment.ofAlias(link.alias())).ifPresent(vanished);
      } catch (LinuxException unreadable) {
        uncertain.run();
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
