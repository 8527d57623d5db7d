package io.margay.ipam;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.KeyValue;
import io.margay.ipam.care.IpamCheck;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Our one-transaction writer and Calico's stepwise one on the same keys, interleaved at every call
/// by a seeded scheduler; either may die anywhere. `-Dseed=` replays one schedule.
class CalicoInterleavingTest {

  private static final int SCHEDULES = 400;

  /// Four blocks of four: three nodes meet at every one of them.
  private static Prefix cidr(IpFamily family) {
    return Prefix.parse(family == IpFamily.IPV4 ? "10.8.0.0/28" : "fd00:8::/124");
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void no_schedule_makes_a_duplicate_or_loses_a_block(IpFamily family) throws Exception {
    Long one = Long.getLong("seed");
    for (long seed = one == null ? 1 : one; seed <= (one == null ? SCHEDULES : one); seed++) {
      try {
        new Schedule(family, seed).run();
      } catch (AssertionError | RuntimeException wrong) {
        throw new AssertionError("-Dseed=" + seed + " shows it for " + family, wrong);
      }
    }
  }

  /// One schedule: two nodes of ours and two of Calico's, one of them on a node that becomes ours.
  private static final class Schedule {
    private final InMemoryDatastore store = new InMemoryDatastore();
    private final IpFamily family;
    private final Pools pools;
    private final Random random;
    private final long seed;
    private final Instant now = Instant.parse("2026-11-23T10:00:00Z");
    private final Map<IpAddress, String> live = new HashMap<>();
    private final Set<String> handles = new HashSet<>();

    Schedule(IpFamily family, long seed) {
      this.family = family;
      this.seed = seed;
      this.random = new Random(seed);
      int blockSize = cidr(family).length() + 2;
      pools = Pools.of(Pool.of("p", cidr(family), blockSize));
    }

    void run() throws Exception {
      try (store) {
        Stepper stepper = new Stepper(store, random.nextLong());
        List<Stepper.Actor> actors = new ArrayList<>();
        actors.add(add(stepper, "ours1", this::ours));
        actors.add(add(stepper, "ours2", this::ours));
        actors.add(add(stepper, "calico1", this::calico));
        actors.add(add(stepper, "calico2", this::calico));
        actors.add(add(stepper, "operator", (_, view) -> operator(view)));
        actors.add(stepper.add("heir", -1, false, this::heir));
        stepper.run();
        for (Stepper.Actor actor : actors) {
          assertThat(actor.failure()).isEmpty();
        }
        finish();
      }
    }

    private interface Life {
      void run(String name, Datastore view) throws Exception;
    }

    private Stepper.Actor add(Stepper stepper, String name, Life life) {
      boolean dies = random.nextInt(3) == 0;
      return stepper.add(
          name, dies ? random.nextInt(25) : -1, random.nextBoolean(), view -> life.run(name, view));
    }

    private void ours(String name, Datastore view) throws Exception {
      Random own = new Random(seed + name.hashCode());
      try (Ipam ipam = new Ipam(view, () -> now, pools)) {
        for (int life = 0; life < 3; life++) {
          String handle = name + "-" + life;
          begin(handle);
          AssignResult result =
              ipam.assign(
                  new AssignRequest(
                      handle,
                      name,
                      family == IpFamily.IPV4 ? 1 + own.nextInt(3) : 0,
                      family == IpFamily.IPV6 ? 1 + own.nextInt(3) : 0,
                      Map.of("node", name),
                      List.of(),
                      SameTxn.nothing()));
          if (result instanceof AssignResult.Assigned(List<Assignment> assignments, long _)) {
            hold(handle, assignments.stream().map(Assignment::address).toList());
            assertAnnounced(name, assignments);
          }
          if (own.nextBoolean()) {
            drop(handle);
            ipam.releaseByHandle(handle, SameTxn.Extras.NONE);
          }
        }
      }
    }

    /// Nobody moves between our commit and this look: what we take for our own is confirmed.
    private void assertAnnounced(String node, List<Assignment> assignments)
        throws DatastoreException {
      for (Assignment held : assignments) {
        if (!held.borrowed()) {
          String key = IpamKeys.affinity(node, held.block());
          assertThat(BlockAffinity.parse(key, store.get(key).orElseThrow().value()).state())
              .as("%s of %s", held, node)
              .isEqualTo(BlockAffinity.State.CONFIRMED);
        }
      }
    }

    private void calico(String name, Datastore view) throws Exception {
      Random own = new Random(seed + name.hashCode());
      CalicoNode node = new CalicoNode(view, name, pools, () -> now);
      for (int life = 0; life < 3; life++) {
        String handle = name + "-" + life;
        begin(handle);
        hold(handle, node.autoAssign(handle, family, 1 + own.nextInt(3), Map.of("node", name)));
        if (own.nextBoolean()) {
          drop(handle);
          node.releaseByHandle(handle);
        }
      }
    }

    /// Another process of the first node, in an upgrade that overlaps: a DEL reaches it while the
    /// ADD is still with the old one. It does not die.
    private void heir(Datastore view) throws Exception {
      try (Ipam ipam = new Ipam(view, () -> now, pools)) {
        for (int life = 0; life < 3; life++) {
          String handle = "ours1-" + life;
          ipam.releaseByHandle(handle, SameTxn.Extras.NONE);
          drop(handle);
        }
      }
    }

    /// Gives blocks of all nodes back step by step, used or not, as `calicoctl` would.
    private void operator(Datastore view) throws Exception {
      CalicoNode hand = new CalicoNode(view, "operator", pools, () -> now);
      for (String node : List.of("ours1", "calico1")) {
        for (KeyValue claim : view.list(IpamKeys.affinities(node)).items()) {
          Prefix block = IpamKeys.affinityOf(claim.key()).orElseThrow().block();
          hand.releaseAffinity(node, block, random.nextBoolean(), Optional.empty());
        }
      }
    }

    private synchronized void begin(String handle) {
      handles.add(handle);
    }

    private synchronized void hold(String handle, List<IpAddress> addresses) {
      for (IpAddress address : addresses) {
        assertThat(live.put(address, handle)).as("%s is held twice", address).isNull();
      }
    }

    private synchronized void drop(String handle) {
      live.values().removeIf(handle::equals);
    }

    /// Every node becomes ours: what the dead left is finished, and then nothing contradicts
    /// anything and the whole pool can be had.
    private void finish() throws DatastoreException {
      try (Ipam ours = new Ipam(store, () -> now.plusSeconds(120), pools)) {
        Set<String> held = new HashSet<>(live.values());
        for (String handle : handles) {
          if (!held.contains(handle)) {
            ours.releaseByHandle(handle, SameTxn.Extras.NONE);
          }
        }
        for (String node : List.of("ours1", "ours2", "calico1", "calico2")) {
          ours.settleAffinities(node);
        }
        assertThat(IpamCheck.run(store).findings()).isEmpty();
        Map<IpAddress, String> stored = new TreeMap<>();
        for (Block block : ours.listBlocks()) {
          block
              .allocated()
              .forEach(each -> stored.put(each.address(), each.holder().cleanHandleId().get()));
        }
        assertThat(stored).isEqualTo(new TreeMap<>(live));
        int size = 16;
        for (int left = size - live.size(); left > 0; left--) {
          assertThat(
                  ours.assign(
                      new AssignRequest(
                          "rest" + left,
                          "ours1",
                          family == IpFamily.IPV4 ? 1 : 0,
                          family == IpFamily.IPV6 ? 1 : 0,
                          Map.of(),
                          List.of(),
                          SameTxn.nothing())))
              .isInstanceOf(AssignResult.Assigned.class);
        }
        assertThat(IpamCheck.run(store).findings()).isEmpty();
        assertThat(IpamCheck.run(store).allocatedCount()).isEqualTo(size);
      }
    }
  }
}
