package io.margay.agent.dataplane;

import io.margay.agent.loop.Loop;
import io.margay.cni.journal.Attachment;
import io.margay.linux.LinuxException;
import io.margay.linux.route.Link;
import io.margay.linux.route.Links;
import io.margay.linux.route.RouteTable;
import io.margay.linux.route.RouteWatch;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.Prefix;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps the kernel's routes as they should be while other processes write routes too, and links
/// come and go. Belongs to the dataplane loop.
final class RouteKeeper {

  /// How often the kernel is compared with what it should hold, should a foreign write not be
  /// heard.
  static final Duration RESYNC = Duration.ofSeconds(30);

  /// How long news are collected, so that a burst of them costs one comparison.
  static final Duration COLLECTING = Duration.ofMillis(20);

  /// Prefixes remembered while news are collected; with more, all routes are compared anyway.
  static final int MAX_NEWS = 1024;

  private static final Logger LOG = LoggerFactory.getLogger(RouteKeeper.class);

  private final Loop loop;
  private final RouteTable routes;
  private final Runnable relinked;
  private final Runnable changed;
  private final Consumer<LinuxException> failed;
  private volatile Consumer<InterfaceName> linkDown = _ -> {};
  private final RepairBudget budget = new RepairBudget(System.nanoTime());
  private boolean comparing;

  /// What was heard and not yet looked at; shared with the watching thread.
  private final News news = new News();

  /// @param relinked looks up again which links the routes to pods lead to
  /// @param changed told when the kernel may take what it refused, or has lost what it took
  /// @param failed told when the kernel can't be read
  RouteKeeper(
      Loop loop,
      RouteTable routes,
      Runnable relinked,
      Runnable changed,
      Consumer<LinuxException> failed) {
    this.loop = loop;
    this.routes = routes;
    this.relinked = relinked;
    this.changed = changed;
    this.failed = failed;
  }

  /// @param listener told, on the watching thread, of each link but pods' that can't carry packets
  ///   any more
  void tellLinkDown(Consumer<InterfaceName> listener) {
    linkDown = listener;
  }

  void begin(RouteWatcher watch) {
    try {
      watch.start(news);
    } catch (LinuxException deaf) {
      LOG.atWarn()
          .addKeyValue("reason", deaf.getMessage())
          .log("foreign writes to our routes are found every 30 s only");
    }
    loop.schedule(RESYNC, this::poll);
  }

  private void poll() {
    relinked.run();
    compare("found at the regular comparison");
    loop.schedule(RESYNC, this::poll);
  }

  /// Something was heard: compares when enough time has passed for a burst to end, later when
  /// comparing takes too much of the loop's time.
  private void onNews() {
    if (!comparing) {
      comparing = true;
      long wait = Math.max(COLLECTING.toNanos(), budget.waitNanos(System.nanoTime()));
      loop.schedule(Duration.ofNanos(wait), this::look);
    }
  }

  private void look() {
    comparing = false;
    News.Heard heard = news.take();
    if (heard.links()) {
      relinked.run();
    }
    if (heard.all() || heard.prefixes().stream().anyMatch(routes::concerns)) {
      changed.run();
      compare(heard.links() ? "a link came or went" : "another process wrote them");
    }
  }

  private void compare(String why) {
    long start = System.nanoTime();
    try {
      int differing = routes.adopt();
      if (differing > 0) {
        changed.run();
        LOG.atWarn()
            .addKeyValue("routes", differing)
            .addKeyValue("why", why)
            .log("routes of ours were not as written; they are written again");
      }
    } catch (LinuxException refused) {
      failed.accept(refused);
    }
    budget.spent(start, System.nanoTime());
  }

  /// Collects what the watching thread tells.
  private final class News implements RouteWatch.Events {
    private Set<Prefix> prefixes = new HashSet<>();
    private boolean links;
    private boolean all;
    private boolean told;

    /// @param prefixes of routes that somebody wrote
    /// @param links whether links came or went
    /// @param all whether any route may have been touched
    record Heard(Set<Prefix> prefixes, boolean links, boolean all) {}

    @Override
    public synchronized void onRoute(Prefix prefix) {
      if (prefixes.size() < MAX_NEWS) {
        prefixes.add(prefix);
      } else {
        all = true;
      }
      tell();
    }

    @Override
    public synchronized void onNextHop() {
      all = true;
      tell();
    }

    /// A pod's link that comes or goes does so with its routes; only if it had been down in
    /// between, somebody else than us did that.
    @Override
    public synchronized void onLink(Link link, boolean wasDown) {
      boolean isPods =
          Attachment.ofAlias(link.alias()).isPresent() || link.group() == Links.NEWBORN_GROUP;
      if (!isPods && !link.isRunning()) {
        linkDown.accept(link.name());
      }
      if (!isPods || (link.isRunning() && wasDown)) {
        links = true;
        all = true;
        tell();
      }
    }

    @Override
    public void onLoss(String reason) {
      LOG.atInfo().addKeyValue("reason", reason).log("all routes are compared with the kernel's");
      synchronized (this) {
        all = true;
        tell();
      }
    }

    private void tell() {
      if (!told) {
        told = true;
        loop.postUnlessEnded(RouteKeeper.this::onNews);
      }
    }

    private synchronized Heard take() {
      Heard heard = new Heard(prefixes, links, all);
      prefixes = new HashSet<>();
      links = false;
      all = false;
      told = false;
      return heard;
    }
  }
}
