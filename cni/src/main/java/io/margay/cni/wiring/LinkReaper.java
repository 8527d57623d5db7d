package io.margay.cni.wiring;

import io.margay.linux.LinuxException;
import io.margay.linux.route.Links;
import io.margay.linux.route.Rtnetlink;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Deletes devices that were put into its link group, many in one request. Each deletion waits for
/// the kernel's RCU grace periods (16 ms measured); a group waits once for all. The group survives
/// this process, so the next one finishes.
final class LinkReaper implements AutoCloseable {

  /// The link group of devices waiting to be deleted: "mgyd" in ASCII.
  static final int GROUP = 0x6d677964;

  /// How long a deletion waits for others to share the request.
  static final Duration COLLECT = Duration.ofMillis(20);

  private static final Logger LOG = LoggerFactory.getLogger(LinkReaper.class);

  private final Rtnetlink rtnetlink;
  private final Semaphore work = new Semaphore(0);
  private final Thread thread =
      Thread.ofPlatform().name("cni-reaper").daemon().unstarted(this::run);
  private volatile boolean closing;

  private LinkReaper(Rtnetlink rtnetlink) {
    this.rtnetlink = rtnetlink;
  }

  /// Starts in the calling thread's namespace, with what an earlier process left in the group or
  /// half born.
  static LinkReaper start() throws LinuxException {
    Rtnetlink rtnetlink = Rtnetlink.open();
    try {
      rtnetlink.links().deleteGroup(Links.NEWBORN_GROUP);
    } catch (LinuxException refused) {
      rtnetlink.close();
      throw refused;
    }
    LinkReaper reaper = new LinkReaper(rtnetlink);
    reaper.work.release();
    reaper.thread.start();
    return reaper;
  }

  /// Has a device deleted soon. It must be down and out of use already.
  void reap(Links links, int index) throws LinuxException {
    links.setGroup(index, GROUP);
    work.release();
  }

  private void run() {
    try {
      while (!closing) {
        work.acquire();
        if (!closing) {
          TimeUnit.NANOSECONDS.sleep(COLLECT.toNanos());
        }
        work.drainPermits();
        deleteGroup();
      }
      // What was handed over between the last deletion and the close, or before the first.
      deleteGroup();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    } finally {
      rtnetlink.close();
    }
  }

  private void deleteGroup() {
    try {
      rtnetlink.links().deleteGroup(GROUP);
    } catch (LinuxException failure) {
      LOG.atWarn()
          .setCause(failure)
          .log("dead host interfaces cannot be deleted now; the next deletion takes them along");
    }
  }

  /// Deletes what is waiting and ends.
  @Override
  public void close() {
    closing = true;
    work.release();
    try {
      thread.join();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
