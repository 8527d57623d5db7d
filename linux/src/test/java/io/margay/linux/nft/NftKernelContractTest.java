package io.margay.linux.nft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/// What every [NftKernel] must do; run against the fake and against the kernel.
abstract class NftKernelContractTest {

  static final NftTableName TABLE = new NftTableName(IpFamily.IPV4, "margay");
  static final NftSet MEMBERS = NftSet.hash("members", NftField.MARK, NftField.IPV4_ADDRESS);
  static final NftSet CIDRS = NftSet.interval("cidrs", NftField.MARK, NftField.IPV4_ADDRESS);
  static final NftSet PORTS =
      NftSet.hash("ports", NftField.MARK, NftField.IPV4_ADDRESS, NftField.PROTOCOL, NftField.PORT);
  static final NftSet FROM = NftSet.verdictMap("from_wl", NftField.INTERFACE_NAME);
  static final NftSet OWNED = NftSet.hash("owned", NftField.INTERFACE_NAME, NftField.IPV4_ADDRESS);

  static final NftHook INGRESS = new NftHook(NftHook.Type.FILTER, NftHook.Point.FORWARD, -11);

  /// Another socket on the same namespace.
  abstract NftKernel open() throws NftException;

  static NftElement member(int id, String address) {
    return NftElement.of(
        NftData.concat(NftData.hostOrder(id), NftData.address(IpAddress.parse(address))));
  }

  static NftElement cidr(int id, String cidr) {
    Prefix prefix = Prefix.parse(cidr);
    return NftElement.range(
        NftData.concat(NftData.hostOrder(id), NftData.address(prefix.address())),
        NftData.concat(NftData.hostOrder(id), NftData.address(prefix.lastAddress())));
  }

  static NftElement dispatch(String name, String chain) {
    return NftElement.verdict(
        NftData.interfaceName(new InterfaceName(name)), NftVerdict.jump(chain));
  }

  static NftRule rule(String id) {
    return new NftRuleBuilder(IpFamily.IPV4)
        .addressInSet(NftRuleBuilder.Side.SOURCE, "members", 7, false)
        .counter()
        .verdict(NftVerdict.DROP)
        .build(id);
  }

  private static void create(NftKernel kernel) throws NftException {
    kernel.commit(
        List.of(
            new NftOp.AddTable(TABLE, NftTenure.OPEN),
            new NftOp.AddSet(TABLE, MEMBERS),
            new NftOp.AddSet(TABLE, CIDRS),
            new NftOp.AddSet(TABLE, PORTS),
            new NftOp.AddSet(TABLE, FROM),
            new NftOp.AddSet(TABLE, OWNED),
            new NftOp.AddChain(TABLE, "e-a", null),
            new NftOp.AddRule(TABLE, "e-a", rule("one"))));
  }

  @Test
  void a_missing_table_dumps_as_nothing() throws Exception {
    try (NftKernel kernel = open()) {
      assertThat(kernel.dump(TABLE)).isEmpty();
    }
  }

  @Test
  void what_was_committed_is_dumped_by_another_socket() throws Exception {
    NftHook hook = new NftHook(NftHook.Type.FILTER, NftHook.Point.PREROUTING, -300);
    try (NftKernel kernel = open();
        NftKernel reader = open()) {
      create(kernel);
      kernel.commit(
          List.of(
              new NftOp.AddChain(TABLE, "spoof", hook),
              new NftOp.AddElements(
                  TABLE, MEMBERS, List.of(member(7, "10.0.0.1"), member(8, "10.0.0.1"))),
              new NftOp.AddElements(
                  TABLE, CIDRS, List.of(cidr(7, "10.1.0.0/16"), cidr(7, "10.2.3.4/31"))),
              new NftOp.AddElements(TABLE, FROM, List.of(dispatch("cali0", "e-a")))));

      NftDump dump = reader.dump(TABLE).orElseThrow();

      assertThat(dump.chains())
          .containsOnly(
              Map.entry("e-a", new NftDump.Chain("", List.of(NftRuleTag.of(rule("one"))))),
              Map.entry("spoof", new NftDump.Chain(hook.toString(), List.of())));
      assertThat(dump.sets().values())
          .extracting(NftDump.Elements::definition)
          .containsExactlyInAnyOrder(MEMBERS, CIDRS, PORTS, FROM, OWNED);
      assertThat(elements(dump, "members"))
          .containsExactlyInAnyOrder(member(7, "10.0.0.1"), member(8, "10.0.0.1"));
      assertThat(elements(dump, "cidrs"))
          .containsExactlyInAnyOrder(cidr(7, "10.1.0.0/16"), cidr(7, "10.2.3.4/31"));
      assertThat(elements(dump, "from_wl")).containsExactly(dispatch("cali0", "e-a"));
      assertThat(dump.dormant()).isFalse();
      assertThat(dump.owned()).isFalse();
    }
  }

  private static NftElement leadsTo(int port, String address, int target) {
    return NftElement.value(
        NftData.concat(NftData.octet(6), NftData.port(port)),
        NftData.concat(NftData.address(IpAddress.parse(address)), NftData.port(target)));
  }

  @Test
  void a_data_map_is_dumped_with_its_values_which_change_in_place() throws Exception {
    NftSet map =
        NftSet.dataMap(
            "host_ports",
            List.of(NftField.PROTOCOL, NftField.PORT),
            List.of(NftField.IPV4_ADDRESS, NftField.PORT));
    NftHook hook = new NftHook(NftHook.Type.NAT, NftHook.Point.OUTPUT, -99);
    NftRule rule =
        new NftRuleBuilder(IpFamily.IPV4)
            .toLocalAddress()
            .destinationByPort("host_ports")
            .build("by-port");
    try (NftKernel kernel = open();
        NftKernel reader = open()) {
      kernel.commit(
          List.of(
              new NftOp.AddTable(TABLE, NftTenure.OPEN),
              new NftOp.AddSet(TABLE, map),
              new NftOp.AddElements(TABLE, map, List.of(leadsTo(8080, "10.0.0.1", 80))),
              new NftOp.AddChain(TABLE, "out", hook),
              new NftOp.AddRule(TABLE, "out", rule)));
      kernel.commit(
          List.of(
              new NftOp.DeleteElements(TABLE, map, List.of(leadsTo(8080, "10.0.0.1", 80))),
              new NftOp.AddElements(
                  TABLE,
                  map,
                  List.of(leadsTo(8080, "10.0.0.2", 81), leadsTo(9090, "10.0.0.2", 90)))));

      NftDump dump = reader.dump(TABLE).orElseThrow();

      assertThat(dump.sets().values())
          .extracting(NftDump.Elements::definition)
          .containsExactly(map);
      assertThat(elements(dump, "host_ports"))
          .containsExactlyInAnyOrder(leadsTo(8080, "10.0.0.2", 81), leadsTo(9090, "10.0.0.2", 90));
      assertThat(dump.chains())
          .containsOnly(
              Map.entry("out", new NftDump.Chain(hook.toString(), List.of(NftRuleTag.of(rule)))));
      assertThat(refusal(kernel, new NftOp.DeleteSet(TABLE, "host_ports")).errno())
          .as("a map that a rule looks up")
          .isEqualTo(NftException.EBUSY);
      kernel.commit(List.of(new NftOp.AddChain(TABLE, "in", INGRESS)));
      assertThat(refusal(kernel, new NftOp.AddRule(TABLE, "in", rule)).errno())
          .as("a translation in a filter chain")
          .isEqualTo(95);
    }
  }

  private static List<NftElement> elements(NftDump dump, String set) {
    NftDump.Elements found = dump.sets().get(set);
    return found == null ? List.of() : List.copyOf(found.elements().values());
  }

  @Test
  void a_commit_moves_the_generation_by_one() throws Exception {
    try (NftKernel kernel = open()) {
      int before = kernel.generation();
      create(kernel);
      assertThat(kernel.generation()).isEqualTo(before + 1);
      kernel.commit(List.of());
      assertThat(kernel.generation()).isEqualTo(before + 1);
    }
  }

  @Test
  void a_refused_transaction_names_its_step_and_changes_nothing() throws Exception {
    try (NftKernel kernel = open()) {
      create(kernel);
      NftDump before = kernel.dump(TABLE).orElseThrow();
      NftRule toNowhere =
          new NftRuleBuilder(IpFamily.IPV4).verdict(NftVerdict.jump("missing")).build("lost");

      NftException refused =
          refusal(
              kernel,
              new NftOp.AddElements(TABLE, MEMBERS, List.of(member(1, "10.0.0.9"))),
              new NftOp.AddRule(TABLE, "e-a", toNowhere),
              new NftOp.AddChain(TABLE, "later", null));

      assertThat(refused).hasMessageContaining("rule \"lost\" in chain e-a");
      assertThat(refused.errno()).isEqualTo(NftException.ENOENT);
      assertThat(kernel.dump(TABLE)).contains(before);
    }
  }

  private static NftException refusal(NftKernel kernel, NftOp... steps) {
    NftException refused =
        catchThrowableOfType(NftException.class, () -> kernel.commit(List.of(steps)));
    assertThat(refused).as("the kernel's refusal of %s", List.of(steps)).isNotNull();
    return refused;
  }

  @Test
  void references_hold_what_they_refer_to() throws Exception {
    try (NftKernel kernel = open()) {
      create(kernel);
      kernel.commit(List.of(new NftOp.AddElements(TABLE, FROM, List.of(dispatch("cali0", "e-a")))));

      assertThat(refusal(kernel, new NftOp.DeleteChain(TABLE, "e-a")).errno())
          .isEqualTo(NftException.EBUSY);
      assertThat(refusal(kernel, new NftOp.DeleteSet(TABLE, "members")).errno())
          .isEqualTo(NftException.EBUSY);

      kernel.commit(
          List.of(
              new NftOp.DeleteElements(TABLE, FROM, List.of(dispatch("cali0", "e-a"))),
              new NftOp.FlushChain(TABLE, "e-a"),
              new NftOp.DeleteSet(TABLE, "members"),
              new NftOp.DeleteChain(TABLE, "e-a")));
      assertThat(kernel.dump(TABLE).orElseThrow().chains()).isEmpty();
    }
  }

  @Test
  void missing_referents_are_refused() throws Exception {
    try (NftKernel kernel = open()) {
      create(kernel);
      NftRule noSet =
          new NftRuleBuilder(IpFamily.IPV4)
              .addressInSet(NftRuleBuilder.Side.SOURCE, "nowhere", 1, false)
              .verdict(NftVerdict.DROP)
              .build("x");
      assertThat(refusal(kernel, new NftOp.AddRule(TABLE, "e-a", noSet)).errno())
          .isEqualTo(NftException.ENOENT);
      assertThat(refusal(kernel, new NftOp.AddRule(TABLE, "none", rule("r"))).errno())
          .isEqualTo(NftException.ENOENT);
      assertThat(
              refusal(
                      kernel,
                      new NftOp.AddElements(TABLE, FROM, List.of(dispatch("cali0", "none"))))
                  .errno())
          .isEqualTo(NftException.ENOENT);
      assertThat(
              refusal(
                      kernel,
                      new NftOp.DeleteElements(TABLE, MEMBERS, List.of(member(1, "10.0.0.1"))))
                  .errno())
          .isEqualTo(NftException.ENOENT);
      assertThat(refusal(kernel, new NftOp.AddChain(TABLE, "e-a", null)).errno())
          .isEqualTo(NftException.EEXIST);
    }
  }

  @Test
  void overlapping_ranges_are_refused_and_may_replace_each_other_in_one_transaction()
      throws Exception {
    try (NftKernel kernel = open()) {
      create(kernel);
      kernel.commit(List.of(new NftOp.AddElements(TABLE, CIDRS, List.of(cidr(1, "10.0.0.0/8")))));
      assertThat(
              refusal(kernel, new NftOp.AddElements(TABLE, CIDRS, List.of(cidr(1, "10.5.0.0/16"))))
                  .errno())
          .isEqualTo(NftException.EEXIST);
      kernel.commit(
          List.of(
              new NftOp.AddElements(TABLE, CIDRS, List.of(cidr(2, "10.5.0.0/16"))),
              new NftOp.DeleteElements(TABLE, CIDRS, List.of(cidr(1, "10.0.0.0/8"))),
              new NftOp.AddElements(
                  TABLE, CIDRS, List.of(cidr(1, "10.5.0.0/16"), cidr(1, "0.0.0.0/5")))));
      assertThat(elements(kernel.dump(TABLE).orElseThrow(), "cidrs"))
          .containsExactlyInAnyOrder(
              cidr(2, "10.5.0.0/16"), cidr(1, "10.5.0.0/16"), cidr(1, "0.0.0.0/5"));
    }
  }

  @Test
  void what_is_asked_of_connections_and_hosts_is_taken_at_the_hooks_it_is_asked_at()
      throws Exception {
    NftSet failsafes =
        NftSet.interval(
            "failsafes", NftField.MARK, NftField.PROTOCOL, NftField.PORT, NftField.IPV4_ADDRESS);
    NftSet ranges = NftSet.interval("port_ranges", NftField.MARK, NftField.PORT);
    NftSet hosts = NftSet.verdictMap("hosts", NftField.MARK, NftField.INTERFACE_NAME);
    NftData ssh = NftData.concat(NftData.hostOrder(1), NftData.octet(6), NftData.port(22));
    NftElement everybody =
        NftElement.range(
            NftData.concat(ssh, NftData.address(IpAddress.parse("0.0.0.0"))),
            NftData.concat(ssh, NftData.address(IpAddress.parse("255.255.255.255"))));
    NftElement accepted =
        NftElement.verdict(
            NftData.concat(NftData.hostOrder(3), NftData.interfaceName(new InterfaceName("eth0"))),
            NftVerdict.ACCEPT);
    try (NftKernel kernel = open();
        NftKernel reader = open()) {
      create(kernel);
      List<NftOp> steps = new ArrayList<>();
      steps.add(new NftOp.AddSet(TABLE, failsafes));
      steps.add(new NftOp.AddSet(TABLE, ranges));
      steps.add(new NftOp.AddSet(TABLE, hosts));
      steps.add(new NftOp.AddElements(TABLE, failsafes, List.of(everybody)));
      steps.add(new NftOp.AddElements(TABLE, hosts, List.of(accepted)));
      for (NftHook.Point point : NftHook.Point.values()) {
        String chain = "at_" + point;
        steps.add(new NftOp.AddChain(TABLE, chain, new NftHook(NftHook.Type.FILTER, point, -299)));
        for (NftRule rule : aboutHosts()) {
          steps.add(new NftOp.AddRule(TABLE, chain, rule));
        }
      }
      kernel.commit(steps);

      NftDump dump = reader.dump(TABLE).orElseThrow();
      for (NftHook.Point point : NftHook.Point.values()) {
        assertThat(dump.chains())
            .containsEntry(
                "at_" + point,
                new NftDump.Chain(
                    new NftHook(NftHook.Type.FILTER, point, -299).toString(),
                    aboutHosts().stream().map(NftRuleTag::of).toList()));
      }
      assertThat(elements(dump, "failsafes")).containsExactly(everybody);
      assertThat(elements(dump, "hosts")).containsExactly(accepted);
    }
  }

  private static List<NftRule> aboutHosts() {
    Prefix net = Prefix.parse("10.0.0.0/12");
    return List.of(
        new NftRuleBuilder(IpFamily.IPV4)
            .ctState(NftExpr.CtState.UNTRACKED)
            .notrack()
            .verdict(NftVerdict.ACCEPT)
            .build("untracked"),
        new NftRuleBuilder(IpFamily.IPV4)
            .ctDestinationTranslated()
            .fromLocalAddress()
            .interfaceVerdict(NftRuleBuilder.Side.SOURCE, "hosts", 3)
            .build("translated"),
        new NftRuleBuilder(IpFamily.IPV4)
            .portAndAddressInSet(
                "failsafes", 1, NftRuleBuilder.Side.DESTINATION, NftRuleBuilder.Side.SOURCE)
            .verdict(NftVerdict.ACCEPT)
            .build("failsafe"),
        NftRuleBuilder.ofOriginal(IpFamily.IPV4)
            .protocol(6, false)
            .address(NftRuleBuilder.Side.SOURCE, net, true)
            .addressInSet(NftRuleBuilder.Side.SOURCE, "members", 7, false)
            .addressInSet(NftRuleBuilder.Side.DESTINATION, "cidrs", 7, true)
            .portInSet(NftRuleBuilder.Side.DESTINATION, "ports", 7, false)
            .portRangeInSet(NftRuleBuilder.Side.DESTINATION, "port_ranges", 7, false)
            .port(NftRuleBuilder.Side.SOURCE, 1024, 65_535, false)
            .verdict(NftVerdict.ACCEPT)
            .build("original"));
  }

  @Test
  void a_jump_into_itself_is_refused() throws Exception {
    NftHook hook = new NftHook(NftHook.Type.FILTER, NftHook.Point.FORWARD, -10);
    NftRule toA = new NftRuleBuilder(IpFamily.IPV4).verdict(NftVerdict.jump("e-a")).build("loop");
    try (NftKernel kernel = open()) {
      create(kernel);
      refusal(
          kernel,
          new NftOp.AddChain(TABLE, "base", hook),
          new NftOp.AddRule(TABLE, "base", toA),
          new NftOp.AddRule(TABLE, "e-a", toA));
    }
  }

  @Test
  void a_table_is_replaced_within_one_transaction() throws Exception {
    try (NftKernel kernel = open()) {
      create(kernel);
      kernel.commit(
          List.of(
              new NftOp.AddTable(TABLE, NftTenure.OPEN),
              new NftOp.DeleteTable(TABLE),
              new NftOp.AddTable(TABLE, NftTenure.OPEN),
              new NftOp.AddChain(TABLE, "other", null)));
      assertThat(kernel.dump(TABLE).orElseThrow().chains()).containsOnlyKeys("other");
    }
  }

  @Test
  void an_owned_table_is_closed_to_others_and_outlives_its_owner() throws Exception {
    try (NftKernel other = open()) {
      try (NftKernel owner = open()) {
        assertThat(owner.features().persistentOwner()).isTrue();
        owner.commit(
            List.of(
                new NftOp.AddTable(TABLE, NftTenure.LASTING),
                new NftOp.AddChain(TABLE, "mine", null)));
        assertThat(refusal(other, new NftOp.AddChain(TABLE, "theirs", null)).errno())
            .isEqualTo(NftException.EPERM);
        assertThat(refusal(other, new NftOp.DeleteTable(TABLE)).errno())
            .isEqualTo(NftException.EPERM);
        owner.commit(List.of(new NftOp.AddTable(TABLE, NftTenure.LASTING)));
      }
      NftDump orphan = other.dump(TABLE).orElseThrow();
      assertThat(orphan.owned()).isFalse();
      assertThat(orphan.persistent()).isTrue();
      assertThat(orphan.chains()).containsOnlyKeys("mine");
      other.commit(List.of(new NftOp.AddTable(TABLE, NftTenure.LASTING)));
      assertThat(other.dump(TABLE).orElseThrow().owned()).isTrue();
    }
  }

  @Test
  void an_open_table_cannot_become_owned_but_can_be_replaced_by_an_owned_one() throws Exception {
    try (NftKernel kernel = open()) {
      create(kernel);
      refusal(kernel, new NftOp.AddTable(TABLE, NftTenure.LASTING));
      kernel.commit(
          List.of(
              new NftOp.AddTable(TABLE, NftTenure.OPEN),
              new NftOp.DeleteTable(TABLE),
              new NftOp.AddTable(TABLE, NftTenure.LASTING)));
      assertThat(kernel.dump(TABLE).orElseThrow().owned()).isTrue();
    }
  }

  @Test
  void a_large_transaction_is_split_into_messages_and_stays_one() throws Exception {
    List<NftElement> many = new ArrayList<>();
    for (int i = 0; i < 20_000; i++) {
      many.add(
          NftElement.of(
              NftData.concat(
                  NftData.hostOrder(5), NftData.address(IpAddress.parse("10.0.0.0").plus(i)))));
    }
    try (NftKernel kernel = open()) {
      create(kernel);
      int before = kernel.generation();
      kernel.commit(List.of(new NftOp.AddElements(TABLE, MEMBERS, many)));
      assertThat(kernel.generation()).isEqualTo(before + 1);
      assertThat(elements(kernel.dump(TABLE).orElseThrow(), "members"))
          .matches(
              found -> Set.copyOf(found).equals(Set.copyOf(many)), "holds all that were added");
    }
  }

  private static final NftTableName FOREIGN = new NftTableName(IpFamily.IPV6, "foreign");

  /// What a watch has heard once `wanted` is true of it, all in one.
  static NftWatch.Report heard(NftWatch watch, Predicate<NftWatch.Report> wanted)
      throws InterruptedException {
    List<Integer> harmless = new ArrayList<>();
    NftWatch.Report all = watch.take();
    for (int i = 0; i < 1000 && !wanted.test(all); i++) {
      Thread.sleep(5);
      harmless = new ArrayList<>(all.harmless());
      NftWatch.Report next = watch.take();
      harmless.addAll(next.harmless());
      all =
          new NftWatch.Report(
              harmless,
              all.suspicious() || next.suspicious(),
              next.by().isEmpty() ? all.by() : next.by());
    }
    return all;
  }

  @Test
  void a_watch_counts_what_others_do_to_their_own_tables() throws Exception {
    Semaphore alarm = new Semaphore(0);
    try (NftKernel kernel = open();
        NftKernel other = open();
        NftWatch watch = kernel.watch(Set.of(TABLE), alarm::release)) {
      create(kernel);
      other.commit(List.of(new NftOp.AddTable(FOREIGN, NftTenure.OPEN)));
      other.commit(List.of(new NftOp.AddChain(FOREIGN, "c", null)));
      kernel.commit(List.of(new NftOp.AddElements(TABLE, MEMBERS, List.of(member(1, "10.0.0.1")))));
      other.commit(List.of(new NftOp.DeleteTable(FOREIGN)));
      int now = kernel.generation();
      NftWatch.Report report = heard(watch, all -> all.harmless().size() == 3);
      assertThat(report.harmless()).containsExactly(now - 3, now - 2, now);
      assertThat(report.suspicious()).isFalse();
      assertThat(alarm.availablePermits()).isZero();
    }
  }

  @Test
  void a_watch_raises_the_alarm_when_others_write_our_tables() throws Exception {
    Semaphore alarm = new Semaphore(0);
    try (NftKernel kernel = open();
        NftKernel other = open();
        NftWatch watch = kernel.watch(Set.of(TABLE), alarm::release)) {
      create(kernel);
      other.commit(
          List.of(
              new NftOp.AddTable(FOREIGN, NftTenure.OPEN),
              new NftOp.AddElements(TABLE, MEMBERS, List.of(member(7, "6.6.6.6")))));
      assertThat(alarm.tryAcquire(10, TimeUnit.SECONDS)).isTrue();
      NftWatch.Report report = watch.take();
      assertThat(report.suspicious()).isTrue();
      assertThat(report.by()).isNotEmpty();
      assertThat(report.harmless()).isEmpty();
      other.commit(List.of(new NftOp.DeleteTable(TABLE)));
      assertThat(alarm.tryAcquire(10, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void a_refused_element_is_named_among_many() throws Exception {
    List<NftElement> many = new ArrayList<>();
    for (int i = 0; i < 3000; i++) {
      many.add(cidr(i, "10.0.0.0/24"));
    }
    many.add(2500, cidr(7, "10.0.0.128/25"));
    try (NftKernel kernel = open()) {
      create(kernel);
      assertThat(refusal(kernel, new NftOp.AddElements(TABLE, CIDRS, many)))
          .hasMessageContaining("set cidrs")
          .hasMessageContaining("element 0x00000007 . 10.0.0.128/25");
      NftElement absent = member(9, "10.9.9.9");
      kernel.commit(List.of(new NftOp.AddElements(TABLE, MEMBERS, List.of(member(9, "10.9.9.8")))));
      assertThat(
              refusal(
                  kernel,
                  new NftOp.DeleteElements(TABLE, MEMBERS, List.of(member(9, "10.9.9.8"), absent))))
          .hasMessageContaining("element 0x00000009 . 10.9.9.9");
    }
  }

  @Test
  void a_refused_rule_is_named_with_the_expression_at_fault() throws Exception {
    NftRule rule =
        new NftRuleBuilder(IpFamily.IPV4)
            .protocol(6, false)
            .counter()
            .verdict(NftVerdict.jump("nowhere"))
            .build("lost");
    try (NftKernel kernel = open()) {
      create(kernel);
      assertThat(refusal(kernel, new NftOp.AddRule(TABLE, "e-a", rule)))
          .hasMessageContaining("rule \"lost\"")
          .hasMessageContaining("expression 4: Judge[verdict=Jump[chain=nowhere]]");
    }
  }

  @Test
  void rules_are_read_with_their_ids_handles_and_counters() throws Exception {
    NftRule uncounted =
        new NftRuleBuilder(IpFamily.IPV4)
            .protocol(6, false)
            .logGroup("denied", 7, 128)
            .trace()
            .verdict(NftVerdict.RETURN)
            .build("uncounted");
    try (NftKernel kernel = open()) {
      assertThat(kernel.rules(TABLE)).isEmpty();
      create(kernel);
      kernel.commit(
          List.of(
              new NftOp.AddRule(TABLE, "e-a", uncounted),
              new NftOp.AddChain(TABLE, "e-b", null),
              new NftOp.AddRule(TABLE, "e-b", rule("one"))));
      List<NftRuleInfo> rules = kernel.rules(TABLE);
      assertThat(rules).extracting(NftRuleInfo::chain).containsExactly("e-a", "e-a", "e-b");
      assertThat(rules).extracting(NftRuleInfo::id).containsExactly("one", "uncounted", "one");
      assertThat(rules).extracting(NftRuleInfo::handle).doesNotHaveDuplicates().doesNotContain(0L);
      assertThat(rules.get(1).counter()).isNull();
      assertThat(NftRuleInfo.counters(rules)).containsOnly(Map.entry("one", new NftCounter(0, 0)));
    }
  }
}
