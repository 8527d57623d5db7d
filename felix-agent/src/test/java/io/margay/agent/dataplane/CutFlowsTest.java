package io.margay.agent.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.firewall.CutFlow;
import io.margay.agent.firewall.FirewallManager;
import io.margay.agent.firewall.FirewallSettings;
import io.margay.linux.nft.FakeNftables;
import io.margay.linux.nft.NftPacket.Ends;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTable.Ownership;
import io.margay.model.net.IpAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.Test;

final class CutFlowsTest {

  private static final Duration MEMORY = Duration.ofHours(10);
  private static final Duration GLANCE = Duration.ofHours(1);
  private static final int MOST = 3;

  private final FakeNftables kernel = new FakeNftables(false);
  private final NftTable table = new NftTable(kernel.open(), "margay", Ownership.WHERE_PERSISTENT);
  private final FirewallManager firewall = new FirewallManager(table, FirewallSettings.DEFAULT);
  private final Deque<Runnable> timers = new ArrayDeque<>();
  private long now = Long.MAX_VALUE - 5;
  private final CutFlows cuts = cuts(firewall);

  private CutFlows cuts(FirewallManager of) {
    return new CutFlows(
        of,
        (pause, then) -> {
          assertThat(pause).isEqualTo(GLANCE);
          timers.add(then);
        },
        () -> now,
        new CutFlows.Limits(MOST, MEMORY, GLANCE));
  }

  private static CutFlow flow(int port) {
    return flow(port, "192.0.2.1");
  }

  private static CutFlow flow(int port, String answerer) {
    IpAddress client = IpAddress.parse("198.51.100.7");
    return new CutFlow(
        new Ends(client, port, IpAddress.parse("192.0.2.1"), 80),
        new Ends(IpAddress.parse(answerer), 80, client, port),
        false);
  }

  private List<CutFlow> inKernel() throws Exception {
    firewall.apply();
    return firewall.findKeptOut();
  }

  /// @param hours each a glance
  private void pass(int hours) {
    for (int hour = 0; hour < hours; hour++) {
      now += Duration.ofHours(1).toNanos();
      Runnable timer = timers.poll();
      if (timer != null) {
        timer.run();
      }
    }
  }

  @Test
  void what_was_cut_is_kept_out_for_its_time_and_a_later_cut_begins_it_anew() throws Exception {
    assertThat(cuts.keepOut(List.of(flow(1), flow(2)))).isTrue();
    assertThat(inKernel()).containsExactlyInAnyOrder(flow(1), flow(2));
    pass(9);
    assertThat(cuts.keepOut(List.of(flow(1)))).as("the kernel knows it").isFalse();
    assertThat(inKernel()).containsExactlyInAnyOrder(flow(1), flow(2));
    pass(1);
    assertThat(inKernel()).containsExactly(flow(1));
    pass(8);
    assertThat(inKernel()).containsExactly(flow(1));
    pass(1);
    assertThat(inKernel()).isEmpty();
    assertThat(timers).as("nothing to look for").isEmpty();
    cuts.keepOut(List.of(flow(3)));
    assertThat(timers).hasSize(1);
  }

  @Test
  void of_too_many_those_cut_last_are_kept_out() throws Exception {
    cuts.keepOut(List.of(flow(1), flow(2), flow(3)));
    cuts.keepOut(List.of(flow(1), flow(4)));
    assertThat(inKernel()).containsExactlyInAnyOrder(flow(1), flow(3), flow(4));
    assertThat(cuts.letGo()).isEqualTo(1);
    List<CutFlow> many = List.of(flow(5), flow(6), flow(7), flow(8));
    assertThat(cuts.keepOut(many)).isTrue();
    assertThat(inKernel()).hasSize(MOST);
    assertThat(cuts.letGo()).as("three of before and one of now").isEqualTo(5);
    assertThat(cuts.keepOut(many)).as("not without end").isFalse();
  }

  @Test
  void one_that_is_let_in_is_gone_at_once() throws Exception {
    cuts.keepOut(List.of(flow(1), flow(2)));
    assertThat(cuts.byEnds()).hasSize(4).containsEntry(flow(1).answered(), flow(1));
    cuts.letIn(flow(1));
    cuts.letIn(flow(1));
    cuts.letIn(flow(9));
    assertThat(inKernel()).containsExactly(flow(2));
    assertThat(cuts.byEnds()).hasSize(2);
  }

  @Test
  void one_that_shares_an_end_with_an_earlier_one_takes_its_place() throws Exception {
    cuts.keepOut(List.of(flow(1)));
    cuts.keepOut(List.of(flow(1, "10.65.0.1")));
    assertThat(inKernel()).containsExactly(flow(1, "10.65.0.1"));
    assertThat(cuts.byEnds()).hasSize(2);
    cuts.letIn(flow(1, "10.65.0.1"));
    assertThat(inKernel()).isEmpty();
  }

  @Test
  void looking_is_due_again_and_again_while_something_is_kept_out() {
    assertThat(cuts.isGlanceDue()).isFalse();
    cuts.keepOut(List.of(flow(1)));
    assertThat(cuts.isGlanceDue()).isFalse();
    pass(1);
    assertThat(cuts.isGlanceDue()).isTrue();
    cuts.glanced();
    assertThat(cuts.isGlanceDue()).isFalse();
    pass(1);
    assertThat(cuts.isGlanceDue()).isTrue();
    cuts.letIn(flow(1));
    assertThat(cuts.isGlanceDue()).isFalse();
  }

  @Test
  void all_are_gone_through_once_after_policy_changed() {
    cuts.onPolicy();
    assertThat(cuts.isReviewDue()).as("nothing is kept out").isFalse();
    cuts.keepOut(List.of(flow(1), flow(2)));
    assertThat(cuts.takeReview()).isEmpty();
    cuts.onPolicy();
    assertThat(cuts.isReviewDue()).isTrue();
    assertThat(cuts.takeReview()).containsExactlyInAnyOrder(flow(1), flow(2));
    assertThat(cuts.isReviewDue()).isFalse();
  }

  @Test
  void the_next_process_takes_over_and_begins_the_time_anew() throws Exception {
    cuts.keepOut(List.of(flow(1)));
    inKernel();
    pass(9);
    table.close();
    timers.clear();
    try (NftTable next = new NftTable(kernel.open(), "margay", Ownership.WHERE_PERSISTENT)) {
      FirewallManager after = new FirewallManager(next, FirewallSettings.DEFAULT);
      cuts(after).adopt();
      after.apply();
      pass(9);
      after.apply();
      assertThat(after.findKeptOut()).containsExactly(flow(1));
      pass(1);
      after.apply();
      assertThat(after.findKeptOut()).isEmpty();
    }
  }
}
