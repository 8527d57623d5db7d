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
import io.margay.model.net.IpFamily;
import java.util.List;
import java.util.Optional;
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
      reader.supportsPersistentOwner();
      int probe = reader.generation();
      reader.supportsPersistentOwner();
      probe = ownership == Ownership.NEVER ? 0 : reader.generation() - probe;
      int before = reader.generation() + probe;
      fill(table);
      assertThat(table.apply()).isInstanceOf(NftOutcome.Written.class);
      assertThat(reader.generation()).isEqualTo(before + 1);
      assertThat(reader.dump(TABLE).orElseThrow().chains()).containsOnlyKeys("egress", "e-a");
      assertThat(reader.dump(TABLE_6).orElseThrow().chains()).containsOnlyKeys("egress");
      assertThat(reader.dump(TABLE).orElseThrow().owned())
          .isEqualTo(ownership == Ownership.WHERE_PERSISTENT);
      assertThat(table.apply()).isEqualTo(new NftOutcome.Unchanged());
      assertThat(table.resync()).isEqualTo(new NftOutcome.Unchanged());
      assertThat(reader.generation()).isEqualTo(before + 1);
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
      other.commit(List.of(new NftOp.AddTable(FOREIGN, false)));
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
}
