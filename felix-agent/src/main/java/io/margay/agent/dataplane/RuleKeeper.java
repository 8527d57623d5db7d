package io.margay.agent.dataplane;

import io.margay.agent.firewall.FirewallManager;
import io.margay.agent.loop.Loop;
import io.margay.linux.nft.NftException;
import io.margay.linux.nft.NftTable;
import java.time.Duration;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps the kernel's rules as they should be while other processes write nf_tables too. Belongs to
/// the dataplane loop.
final class RuleKeeper {

  /// How often the kernel is compared with what it should hold, should a foreign write not be
  /// heard. It asks for one number unless somebody wrote our tables.
  static final Duration RESYNC = Duration.ofSeconds(1);

  private static final Logger LOG = LoggerFactory.getLogger(RuleKeeper.class);

  private final Loop loop;
  private final FirewallManager firewall;
  private final Retry retry;
  private final Consumer<NftException> failed;
  private final Runnable repaired;
  private final RepairBudget budget = new RepairBudget(System.nanoTime());
  private NftTable.Tampering known;
  private boolean repairScheduled;

  /// @param retry says whether rules that were refused are to be tried again
  /// @param failed told what the kernel refused
  /// @param repaired told when what others did has been undone, by whichever write
  RuleKeeper(
      Loop loop,
      FirewallManager firewall,
      Retry retry,
      Consumer<NftException> failed,
      Runnable repaired) {
    this.loop = loop;
    this.firewall = firewall;
    this.retry = retry;
    this.failed = failed;
    this.repaired = repaired;
    this.known = firewall.tampering();
  }

  /// Listens after the first write, which is the largest: with a listener, even one that takes
  /// nothing of ours, the kernel makes a notice of each of its hundred thousand elements.
  void begin() {
    loop.post(this::listen);
    loop.schedule(RESYNC, this::poll);
  }

  private void listen() {
    try {
      firewall.watch(() -> loop.postUnlessEnded(this::repair));
    } catch (NftException deaf) {
      LOG.atWarn()
          .addKeyValue("reason", deaf.getMessage())
          .log("foreign writes to our nft tables are found once a second only");
    }
  }

  private void poll() {
    // A comparison writes what is missing.
    if (retry.isDue()) {
      compare();
    }
    loop.schedule(RESYNC, this::poll);
  }

  /// Somebody wrote our tables.
  private void repair() {
    retry.news();
    long wait = budget.waitNanos(System.nanoTime());
    if (wait == 0) {
      compare();
    } else if (!repairScheduled) {
      repairScheduled = true;
      loop.schedule(
          Duration.ofNanos(wait),
          () -> {
            repairScheduled = false;
            compare();
          });
    }
  }

  private void compare() {
    long start = System.nanoTime();
    try {
      firewall.resync();
    } catch (NftException refused) {
      failed.accept(refused);
    }
    NftTable.Tampering now = firewall.tampering();
    boolean open = now.gaps() > known.gaps();
    if (now.repairs() > known.repairs()) {
      LOG.atWarn()
          .addKeyValue("by", now.by())
          .addKeyValue("open", open)
          .log("another process had changed our nft tables; they are as they should be again");
    }
    if (open || now.repairs() > known.repairs()) {
      repaired.run();
    }
    known = now;
    budget.spent(start, System.nanoTime());
  }
}
