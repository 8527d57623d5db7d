package io.margay.linux.nft;

import static io.margay.linux.nft.NftKernelContractTest.CIDRS;
import static io.margay.linux.nft.NftKernelContractTest.FROM;
import static io.margay.linux.nft.NftKernelContractTest.MEMBERS;
import static io.margay.linux.nft.NftKernelContractTest.TABLE;
import static io.margay.linux.nft.NftKernelContractTest.cidr;
import static io.margay.linux.nft.NftKernelContractTest.dispatch;
import static io.margay.linux.nft.NftKernelContractTest.member;
import static io.margay.linux.nft.NftKernelContractTest.rule;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.margay.linux.nft.NftTable.Ownership;
import io.margay.linux.testing.ForwardingKernel;
import io.margay.model.net.IpFamily;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What [NftTable] promises, on the fake and on the kernel.
abstract class NftTableContractTest {

  private static final NftTableName TABLE_6 = new NftTableName(IpFamily.IPV6, "margay");
  private static final NftTableName FOREIGN = new NftTableName(IpFamily.IPV4, "foreign");
  private static final NftHook HOOK =
      new NftHook(NftHook.Type.FILTER, NftHook.Point.PREROUTING, -90);

  abstract NftKernel open() throws NftException;

  private NftTable table(Ownership ownership) throws NftException {
    NftTable table = new NftTable(open(), "margay", ownership);
    table.declareSet(IpFamily.IPV4, MEMBERS);
    table.declareSet(IpFamily.IPV4, CIDRS);
    table.declareSet(IpFamily.IPV4, FROM);
    return table;
  }

  private static void fill(NftTable table) {
    NftRule dispatch =
        new NftRuleBuilder(IpFamily.IPV4)
            .interfaceVerdict(NftRuleBuilder.Side.SOURCE, "from_wl")
            .build("dispatch");
    table.putChain(IpFamily.IPV4, new NftChain("egress", HOOK, List.of(dispatch)));
    table.putChain(IpFamily.IPV4, NftChain.regular("e-a", List.of(rule("one"), rule("two"))));
    table.putChain(IpFamily.IPV6, new NftChain("egress", HOOK, List.of()));
    table.putElement(IpFamily.IPV4, "members", member(7, "10.0.0.1"));
    table.putElement(IpFamily.IPV4, "cidrs", cidr(7, "10.0.0.0/8"));
    table.putElement(IpFamily.IPV4, "from_wl", dispatch("cali0", "e-a"));
  }

  private static Map<NftData, NftElement> elements(NftDump dump) {
    return Objects.requireNonNull(dump.sets().get("cidrs")).elements();
  }

  private NftDump dump() throws NftException {
    try (NftKernel kernel = open()) {
      return kernel.dump(TABLE).orElseThrow();
    }
  }

  @ParameterizedTest
  @EnumSource(Ownership.class)
  void both_families_are_written_in_one_transaction(Ownership ownership) throws Exception {
    try (NftTable table = table(ownership);
        NftKernel reader = open()) {
      // Trying ownership on a scratch table, with its deletion, is a transaction of its own.
      reader.features();
      int probe = reader.generation();
      reader.features();
      probe = ownership == Ownership.NEVER ? 0 : reader.generation() - probe;
      int before = reader.generation() + probe;
      fill(table);
      assertThat(table.apply()).isInstanceOf(NftOutcome.Written.class);
      assertThat(reader.generation()).isEqualTo(before + 1);
      assertThat(reader.dump(TABLE).orElseThrow().chains()).containsOnlyKeys("egress", "e-a");
      assertThat(reader.dump(TABLE_6).orElseThrow().chains()).containsOnlyKeys("egress");
      assertThat(reader.dump(TABLE).orElseThrow().owned()).isEqualTo(ownership != Ownership.NEVER);
      assertThat(table.apply()).isEqualTo(new NftOutcome.Unchanged());
      assertThat(table.resync()).isEqualTo(new NftOutcome.Unchanged());
      assertThat(reader.generation()).isEqualTo(before + 1);
    }
  }

  @Test
  void a_look_says_what_others_did_and_leaves_it_to_the_resync() throws Exception {
    try (NftTable table = table(Ownership.NEVER);
        NftKernel other = open()) {
      fill(table);
      assertThat(table.isAsDesired()).as("never written").isFalse();
      table.apply();
      assertThat(table.isAsDesired()).isTrue();
      table.putElement(IpFamily.IPV4, "members", member(8, "10.0.0.2"));
      assertThat(table.isAsDesired()).as("an edit that waits").isFalse();
      table.apply();

      other.commit(List.of(new NftOp.AddTable(FOREIGN, NftTenure.OPEN)));
      assertThat(table.isAsDesired()).as("not ours").isTrue();
      other.commit(
          List.of(new NftOp.DeleteElements(TABLE, FROM, List.of(dispatch("cali0", "e-a")))));
      int generation = other.generation();
      assertThat(table.isAsDesired()).isFalse();
      assertThat(table.isAsDesired()).as("still").isFalse();
      assertThat(other.generation()).as("nothing was written").isEqualTo(generation);
      assertThat(table.resync()).isInstanceOf(NftOutcome.Written.class);
      assertThat(table.tampering().repairs()).isOne();
      assertThat(table.isAsDesired()).isTrue();
      other.commit(List.of(new NftOp.DeleteTable(FOREIGN)));
    }
  }

  @Test
  void elements_for_rules_to_come_are_added_alone_before_them() throws Exception {
    try (NftTable table = table(Ownership.NEVER);
        NftKernel reader = open()) {
      List<NftTable.Elements> ahead =
          List.of(
              new NftTable.Elements(
                  IpFamily.IPV4,
                  "cidrs",
                  List.of(cidr(7, "10.0.0.0/8"), cidr(8, "10.1.0.0/16"), cidr(9, "10.2.0.0/16"))));
      fill(table);
      table.addAhead(ahead);
      assertThat(reader.dump(TABLE)).as("there is no table yet").isEmpty();
      table.apply();
      table.putElement(IpFamily.IPV4, "cidrs", cidr(8, "10.1.0.0/16"));
      table.putChain(IpFamily.IPV4, NftChain.regular("e-a", List.of(rule("three"))));
      NftDump before = reader.dump(TABLE).orElseThrow();
      int generation = reader.generation();

      table.addAhead(ahead);
      table.addAhead(ahead);
      assertThat(reader.generation()).as("once").isEqualTo(generation + 1);
      NftDump between = reader.dump(TABLE).orElseThrow();
      assertThat(between.chains()).isEqualTo(before.chains());
      assertThat(elements(between).values())
          .as("what was put, and not what was not")
          .containsExactlyInAnyOrder(cidr(7, "10.0.0.0/8"), cidr(8, "10.1.0.0/16"));
      // Flush and rule.
      assertThat(table.apply()).isEqualTo(new NftOutcome.Written(2));
      assertThat(table.resync()).isEqualTo(new NftOutcome.Unchanged());
    }
  }

  @Test
  void a_fresh_process_adds_them_alone_once_it_has_read_what_is_there() throws Exception {
    try (NftTable first = table(Ownership.NEVER)) {
      fill(first);
      first.apply();
    }
    try (NftTable second = table(Ownership.NEVER);
        NftKernel reader = open()) {
      int before = reader.generation();
      fill(second);
      second.putElement(IpFamily.IPV4, "cidrs", cidr(8, "10.1.0.0/16"));
      second.putChain(IpFamily.IPV4, NftChain.regular("e-a", List.of(rule("three"))));
      second.addAhead(
          List.of(
              new NftTable.Elements(
                  IpFamily.IPV4, "cidrs", List.of(cidr(7, "10.0.0.0/8"), cidr(8, "10.1.0.0/16")))));
      assertThat(second.apply()).isEqualTo(new NftOutcome.Written(2));
      assertThat(reader.generation()).isEqualTo(before + 2);
      assertThat(second.resync()).isEqualTo(new NftOutcome.Unchanged());
    }
  }

  @Test
  void elements_added_ahead_that_the_kernel_refuses_come_with_the_rest() throws Exception {
    try (NftTable table = table(Ownership.NEVER);
        NftKernel other = open()) {
      fill(table);
      table.apply();
      other.commit(List.of(new NftOp.DeleteTable(TABLE)));
      table.putElement(IpFamily.IPV4, "cidrs", cidr(8, "10.1.0.0/16"));
      table.addAhead(
          List.of(new NftTable.Elements(IpFamily.IPV4, "cidrs", List.of(cidr(8, "10.1.0.0/16")))));
      assertThat(table.apply()).isInstanceOf(NftOutcome.Written.class);
      assertThat(elements(dump())).hasSize(2);
    }
  }

  @Test
  void a_fresh_process_that_wants_the_same_writes_nothing() throws Exception {
    try (NftTable first = table(Ownership.NEVER)) {
      fill(first);
      first.apply();
    }
    try (NftTable second = table(Ownership.NEVER);
        NftKernel reader = open()) {
      int before = reader.generation();
      fill(second);
      assertThat(second.apply()).isEqualTo(new NftOutcome.Unchanged());
      assertThat(reader.generation()).isEqualTo(before);
    }
  }

  @Test
  void a_fresh_process_only_takes_ownership_of_an_orphan_that_is_right() throws Exception {
    try (NftTable first = table(Ownership.WHERE_PERSISTENT)) {
      fill(first);
      first.apply();
    }
    assertThat(dump().owned()).isFalse();
    try (NftTable second = table(Ownership.WHERE_PERSISTENT)) {
      fill(second);
      assertThat(second.apply()).isEqualTo(new NftOutcome.Written(2));
      assertThat(dump().owned()).isTrue();
      assertThat(second.apply()).isEqualTo(new NftOutcome.Unchanged());
    }
  }

  @Test
  void a_fresh_process_replaces_an_open_table_it_must_own() throws Exception {
    try (NftTable first = table(Ownership.NEVER)) {
      fill(first);
      first.apply();
    }
    try (NftTable second = table(Ownership.WHERE_PERSISTENT)) {
      fill(second);
      assertThat(second.apply()).isInstanceOf(NftOutcome.Written.class);
      assertThat(dump().owned()).isTrue();
    }
  }

  @Test
  void a_change_that_meets_no_table_brings_all_back_and_counts_as_a_gap() throws Exception {
    try (NftTable table = table(Ownership.NEVER);
        NftKernel other = open()) {
      fill(table);
      table.apply();
      other.commit(List.of(new NftOp.DeleteTable(TABLE)));
      table.putChain(IpFamily.IPV4, NftChain.regular("e-a", List.of(rule("three"))));
      assertThat(table.apply()).isInstanceOf(NftOutcome.Rebuilt.class);
      assertThat(table.tampering()).isEqualTo(new NftTable.Tampering(1, 1, ""));
      assertThat(table.resync()).isEqualTo(new NftOutcome.Unchanged());
      assertThat(table.tampering().repairs()).isEqualTo(1);
    }
  }

  @Test
  void tables_for_a_while_are_closed_to_others_and_go_with_their_handle() throws Exception {
    try (NftTable leftBehind = table(Ownership.NEVER)) {
      fill(leftBehind);
      leftBehind.apply();
    }
    try (NftTable passing = table(Ownership.WHILE_OPEN)) {
      fill(passing);
      assertThat(passing.apply()).isInstanceOf(NftOutcome.Written.class);
      assertThat(dump().owned()).isTrue();
      assertThat(passing.resync()).isEqualTo(new NftOutcome.Unchanged());
      try (NftTable other = table(Ownership.WHILE_OPEN)) {
        fill(other);
        NftException refused = catchThrowableOfType(NftException.class, other::apply);
        assertThat(refused.errno()).isEqualTo(NftException.EPERM);
      }
      assertThat(dump().owned()).isTrue();
    }
    try (NftKernel reader = open()) {
      assertThat(reader.dump(TABLE)).isEqualTo(Optional.empty());
      assertThat(reader.dump(TABLE_6)).isEqualTo(Optional.empty());
    }
  }

  @Test
  void a_fresh_process_converges_from_what_another_version_left() throws Exception {
    try (NftTable old = table(Ownership.NEVER)) {
      fill(old);
      old.declareSet(IpFamily.IPV4, NftSet.hash("obsolete", NftField.MARK));
      old.putChain(IpFamily.IPV4, NftChain.regular("e-old", List.of(rule("one"))));
      old.putChain(IpFamily.IPV4, NftChain.regular("e-a", List.of(rule("changed"))));
      old.putElement(IpFamily.IPV4, "from_wl", dispatch("cali0", "e-old"));
      old.putElement(IpFamily.IPV4, "members", member(9, "10.0.0.9"));
      old.apply();
    }
    try (NftTable now = table(Ownership.NEVER)) {
      fill(now);
      assertThat(now.apply()).isInstanceOf(NftOutcome.Written.class);
      NftDump after = dump();
      assertThat(after.chains().keySet()).containsExactlyInAnyOrder("egress", "e-a");
      assertThat(after.sets().keySet()).containsExactlyInAnyOrder("members", "cidrs", "from_wl");
      assertThat(now.resync()).isEqualTo(new NftOutcome.Unchanged());
    }
  }

  @Test
  void a_set_of_another_shape_is_replaced_with_the_table() throws Exception {
    try (NftTable old = new NftTable(open(), "margay", Ownership.NEVER)) {
      old.declareSet(IpFamily.IPV4, NftSet.hash("members", NftField.MARK));
      old.apply();
    }
    try (NftTable now = table(Ownership.NEVER)) {
      fill(now);
      assertThat(now.apply()).isInstanceOf(NftOutcome.Written.class);
      assertThat(now.resync()).isEqualTo(new NftOutcome.Unchanged());
    }
  }

  @Test
  void a_changed_element_is_all_that_is_written() throws Exception {
    try (NftTable table = table(Ownership.NEVER)) {
      fill(table);
      table.apply();
      table.putElement(IpFamily.IPV4, "members", member(7, "10.0.0.2"));
      assertThat(table.apply()).isEqualTo(new NftOutcome.Written(1));
      table.putElement(IpFamily.IPV4, "members", member(7, "10.0.0.3"));
      table.removeElement(IpFamily.IPV4, "members", member(7, "10.0.0.3").key());
      assertThat(table.apply()).isEqualTo(new NftOutcome.Unchanged());
    }
  }

  @Test
  void a_wider_range_takes_the_place_of_those_it_covers() throws Exception {
    try (NftTable table = table(Ownership.NEVER)) {
      fill(table);
      table.apply();
      table.removeElement(IpFamily.IPV4, "cidrs", cidr(7, "10.0.0.0/8").key());
      table.putElement(IpFamily.IPV4, "cidrs", cidr(7, "10.0.0.0/9"));
      table.putElement(IpFamily.IPV4, "cidrs", cidr(7, "10.128.0.0/9"));
      assertThat(table.apply()).isEqualTo(new NftOutcome.Written(2));
      table.removeElement(IpFamily.IPV4, "cidrs", cidr(7, "10.128.0.0/9").key());
      table.putElement(IpFamily.IPV4, "cidrs", cidr(7, "10.0.0.0/8"));
      assertThat(table.apply()).isEqualTo(new NftOutcome.Written(2));
    }
  }

  @Test
  void a_pod_comes_and_goes_with_its_chain_and_dispatch() throws Exception {
    try (NftTable table = table(Ownership.WHERE_PERSISTENT)) {
      fill(table);
      table.apply();
      table.putElement(IpFamily.IPV4, "from_wl", dispatch("cali1", "e-b"));
      table.putChain(IpFamily.IPV4, NftChain.regular("e-b", List.of(rule("b"))));
      assertThat(table.apply()).isEqualTo(new NftOutcome.Written(3));
      table.removeChain(IpFamily.IPV4, "e-b");
      table.removeElement(IpFamily.IPV4, "from_wl", dispatch("cali1", "e-b").key());
      assertThat(table.apply()).isInstanceOf(NftOutcome.Written.class);
      assertThat(dump().chains()).containsOnlyKeys("egress", "e-a");
    }
  }

  @Test
  void resync_repairs_what_others_changed() throws Exception {
    try (NftTable table = table(Ownership.NEVER);
        NftKernel other = open()) {
      fill(table);
      table.apply();
      NftDump right = dump();
      other.commit(
          List.of(
              new NftOp.FlushChain(TABLE, "e-a"),
              new NftOp.AddRule(TABLE, "e-a", rule("two")),
              new NftOp.AddRule(TABLE, "e-a", rule("one")),
              new NftOp.AddChain(TABLE, "intruder", HOOK),
              new NftOp.AddElements(TABLE, MEMBERS, List.of(member(7, "6.6.6.6"))),
              new NftOp.DeleteElements(TABLE, FROM, List.of(dispatch("cali0", "e-a")))));

      assertThat(table.resync()).isInstanceOf(NftOutcome.Written.class);
      assertThat(dump()).isEqualTo(right);
      other.commit(List.of(new NftOp.DeleteTable(TABLE)));
      assertThat(table.resync()).isInstanceOf(NftOutcome.Written.class);
      assertThat(dump()).isEqualTo(right);
    }
  }

  @Test
  void a_refused_difference_ends_in_one_atomic_replacement() throws Exception {
    try (NftTable table = table(Ownership.NEVER);
        NftKernel other = open()) {
      fill(table);
      table.apply();
      NftDump right = dump();
      other.commit(
          List.of(new NftOp.DeleteElements(TABLE, MEMBERS, List.of(member(7, "10.0.0.1")))));
      int before = other.generation();
      table.removeElement(IpFamily.IPV4, "members", member(7, "10.0.0.1").key());

      assertThat(table.apply())
          .isInstanceOfSatisfying(
              NftOutcome.Rebuilt.class,
              rebuilt -> assertThat(rebuilt.cause().errno()).isEqualTo(NftException.ENOENT));
      assertThat(other.generation()).isEqualTo(before + 1);
      assertThat(table.resync()).isEqualTo(new NftOutcome.Unchanged());
      table.putElement(IpFamily.IPV4, "members", member(7, "10.0.0.1"));
      table.apply();
      assertThat(dump()).isEqualTo(right);
    }
  }

  @Test
  void what_the_kernel_never_accepts_is_reported_and_later_recovers() throws Exception {
    try (NftTable table = table(Ownership.NEVER)) {
      fill(table);
      table.apply();
      NftDump right = dump();
      NftRule lost =
          new NftRuleBuilder(IpFamily.IPV4).verdict(NftVerdict.jump("missing")).build("lost");
      table.putChain(IpFamily.IPV4, NftChain.regular("e-lost", List.of(lost)));

      assertThat(catchThrowableOfType(NftException.class, table::apply))
          .hasMessageContaining("rule \"lost\"");
      assertThat(dump()).isEqualTo(right);

      table.removeChain(IpFamily.IPV4, "e-lost");
      assertThat(table.apply()).isEqualTo(new NftOutcome.Unchanged());
    }
  }

  @Test
  void a_table_owned_by_a_living_process_is_left_alone() throws Exception {
    try (NftTable first = table(Ownership.WHERE_PERSISTENT);
        NftTable second = table(Ownership.WHERE_PERSISTENT)) {
      fill(first);
      first.apply();
      second.putElement(IpFamily.IPV4, "members", member(1, "10.9.9.9"));
      assertThat(catchThrowableOfType(NftException.class, second::apply).errno())
          .isEqualTo(NftException.EPERM);
      assertThat(catchThrowableOfType(NftException.class, second::destroy).errno())
          .isEqualTo(NftException.EPERM);
      assertThat(first.resync()).isEqualTo(new NftOutcome.Unchanged());
    }
  }

  @ParameterizedTest
  @EnumSource(Ownership.class)
  void destroy_removes_our_tables_and_nothing_else(Ownership ownership) throws Exception {
    try (NftKernel other = open()) {
      other.commit(List.of(new NftOp.AddTable(FOREIGN, NftTenure.OPEN)));
      try (NftTable first = table(ownership)) {
        fill(first);
        first.apply();
      }
      try (NftTable second = table(ownership)) {
        second.destroy();
        second.destroy();
      }
      assertThat(other.dump(TABLE)).isEqualTo(Optional.empty());
      assertThat(other.dump(TABLE_6)).isEqualTo(Optional.empty());
      assertThat(other.dump(FOREIGN)).isPresent();
    }
  }

  /// Counts the readings of tables.
  private static final class Counted extends ForwardingKernel {
    int dumps;

    Counted(NftKernel kernel) {
      super(kernel);
    }

    @Override
    public void commit(List<NftOp> steps) throws NftException {
      kernel.commit(steps);
    }

    @Override
    public Optional<NftDump> dump(NftTableName table) throws NftException {
      dumps++;
      return kernel.dump(table);
    }
  }

  @Test
  void neighbours_that_leave_our_tables_alone_cost_no_reading() throws Exception {
    Counted kernel = new Counted(open());
    Semaphore alarm = new Semaphore(0);
    try (NftTable table = new NftTable(kernel, "margay", Ownership.NEVER);
        NftKernel other = open()) {
      table.declareSet(IpFamily.IPV4, MEMBERS);
      table.declareSet(IpFamily.IPV4, CIDRS);
      table.declareSet(IpFamily.IPV4, FROM);
      fill(table);
      table.watch(alarm::release);
      table.apply();
      int read = kernel.dumps;
      for (int i = 0; i < 20; i++) {
        other.commit(List.of(new NftOp.AddTable(FOREIGN, NftTenure.OPEN)));
        other.commit(List.of(new NftOp.DeleteTable(FOREIGN)));
        table.putElement(IpFamily.IPV4, "members", member(7, "10.0.1." + i));
        table.apply();
      }
      // The last of them is told after all the others.
      other.commit(List.of(new NftOp.AddElements(TABLE, MEMBERS, List.of(member(7, "6.6.6.6")))));
      assertThat(alarm.tryAcquire(10, TimeUnit.SECONDS)).isTrue();
      assertThat(table.resync()).isInstanceOf(NftOutcome.Written.class);
      assertThat(kernel.dumps).isEqualTo(read + 2);
      other.commit(List.of(new NftOp.AddTable(FOREIGN, NftTenure.OPEN)));
      // Heard or not yet, a neighbour's transaction makes nothing be written.
      assertThat(table.resync()).isEqualTo(new NftOutcome.Unchanged());
    }
  }

  @Test
  void a_hook_that_others_removed_comes_back_before_the_rest() throws Exception {
    try (NftTable table = table(Ownership.NEVER);
        NftKernel other = open()) {
      fill(table);
      table.apply();
      NftDump right = dump();
      assertThat(table.tampering().gaps()).isZero();
      other.commit(List.of(new NftOp.DeleteTable(TABLE)));
      int before = other.generation();
      assertThat(table.resync()).isInstanceOf(NftOutcome.Written.class);
      assertThat(other.generation()).isEqualTo(before + 2);
      assertThat(dump()).isEqualTo(right);
      other.commit(List.of(new NftOp.FlushChain(TABLE, "egress")));
      assertThat(table.resync()).isInstanceOf(NftOutcome.Written.class);
      assertThat(dump()).isEqualTo(right);
      assertThat(table.tampering().gaps()).isEqualTo(2);
      other.commit(List.of(new NftOp.FlushChain(TABLE, "e-a")));
      assertThat(table.resync()).isInstanceOf(NftOutcome.Written.class);
      assertThat(table.tampering().gaps()).isEqualTo(2);
      assertThat(table.tampering().repairs()).isEqualTo(3);
      assertThat(table.resync()).isEqualTo(new NftOutcome.Unchanged());
      assertThat(dump()).isEqualTo(right);
    }
  }

  @Test
  void a_hook_that_leads_to_a_lost_chain_comes_back_with_it() throws Exception {
    NftRule jump =
        new NftRuleBuilder(IpFamily.IPV4).verdict(NftVerdict.jump("e-a")).build("straight");
    try (NftTable table = table(Ownership.NEVER);
        NftKernel other = open()) {
      fill(table);
      table.putChain(IpFamily.IPV4, new NftChain("direct", HOOK, List.of(jump)));
      table.apply();
      NftDump right = dump();
      other.commit(List.of(new NftOp.DeleteTable(TABLE)));
      assertThat(table.resync()).isInstanceOf(NftOutcome.Written.class);
      assertThat(dump()).isEqualTo(right);
      assertThat(table.resync()).isEqualTo(new NftOutcome.Unchanged());
    }
  }
}
