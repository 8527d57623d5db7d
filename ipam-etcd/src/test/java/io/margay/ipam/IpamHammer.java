package io.margay.ipam;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.ipam.care.IpamCheck;
import io.margay.ipam.care.IpamReport;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Many nodes, many pods, one store: starts and stops pods at random, kills processes at any call,
/// removes nodes, and in the end compares what the pods were told with what the store says. Some
/// nodes work the way Calico's client does.
final class IpamHammer {

  /// How hard.
  ///
  /// @param nodes all of them; the last `calico` work Calico's way, the first `removed` vanish
  /// @param pods at one time on each node
  /// @param lives how many pods follow each other in each place
  /// @param conflicts how often somebody else writes first
  /// @param losses how often a commit's answer is lost
  /// @param deaths how often a process dies at a call
  /// @param twins how often an ADD reaches two processes of its node at once
  record Shape(
      int nodes,
      int calico,
      int removed,
      int pods,
      int lives,
      double conflicts,
      double losses,
      double deaths,
      double twins) {

    static Shape calm(int nodes, int pods, int lives) {
      return new Shape(nodes, 0, 0, pods, lives, 0, 0, 0, 0);
    }
  }

  private static final int MAX_ATTEMPTS = 400;

  private final Datastore shared;
  private final Pools pools;
  private final Shape shape;
  private final long seed;
  private final Map<IpAddress, String> live = new ConcurrentHashMap<>();
  private final Map<String, List<String>> handlesOfPods = new ConcurrentHashMap<>();
  private final Set<String> unfinished = ConcurrentHashMap.newKeySet();
  private final Map<String, Agent> processes = new ConcurrentHashMap<>();
  final AtomicInteger assigned = new AtomicInteger();
  final AtomicInteger released = new AtomicInteger();
  final AtomicInteger failed = new AtomicInteger();
  final AtomicInteger deaths = new AtomicInteger();
  final AtomicInteger conflicts = new AtomicInteger();

  IpamHammer(Datastore shared, Pools pools, Shape shape, long seed) {
    this.shared = shared;
    this.pools = pools;
    this.shape = shape;
    this.seed = seed;
  }

  private Agent agent(String name) {
    Agent known = processes.get(name);
    if (known == null) {
      throw new IllegalStateException("no agent " + name);
    }
    return known;
  }

  private static String node(int number) {
    return "n" + number;
  }

  private boolean isCalico(int number) {
    return number >= shape.nodes() - shape.calico();
  }

  /// @param open a node's own view of the store, before faults
  void run(Function<String, Datastore> open) throws Exception {
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Datastore> views = new ArrayList<>();
      for (int number = 0; number < shape.nodes(); number++) {
        String node = node(number);
        Datastore view = open.apply(node);
        views.add(view);
        if (!isCalico(number)) {
          processes.put(node, new Agent(node, view, seed + number));
          processes.put(node + "'", new Agent(node, view, seed + 7919 + number));
        }
      }
      // Only then: a node that has lived is cleaned up after by another.
      List<Future<?>> running = new ArrayList<>();
      for (int number = 0; number < shape.nodes(); number++) {
        int which = number;
        running.add(callers.submit(() -> nodeLife(which, views.get(which), callers)));
      }
      for (Future<?> future : running) {
        future.get();
      }
    } finally {
      processes.values().forEach(Agent::close);
    }
  }

  private @Nullable Void nodeLife(int number, Datastore view, ExecutorService callers)
      throws Exception {
    List<Future<Boolean>> running = new ArrayList<>();
    for (int pod = 0; pod < shape.pods(); pod++) {
      Random random = new Random((seed * 1009 + number) * 1009 + pod);
      String name = node(number) + "-p" + pod;
      running.add(
          callers.submit(
              () -> {
                boolean stays = false;
                for (int life = 0; life < shape.lives(); life++) {
                  stays = life == shape.lives() - 1 && random.nextBoolean();
                  Pod each = new Pod(node(number), name + "-" + life, random, callers);
                  if (isCalico(number)) {
                    each.liveCalicosWay(view, stays);
                  } else {
                    each.live(stays);
                  }
                }
                return stays;
              }));
    }
    List<String> staying = new ArrayList<>();
    for (int pod = 0; pod < running.size(); pod++) {
      if (running.get(pod).get()) {
        staying.add(node(number) + "-p" + pod + "-" + (shape.lives() - 1));
      }
    }
    if (number < shape.removed()) {
      remove(node(number), staying);
    }
    return null;
  }

  /// A node that is gone, cleaned up after by its neighbour.
  private void remove(String node, Collection<String> pods) throws Exception {
    Agent neighbour = agent(node(shape.removed()));
    for (String pod : pods) {
      live.values().removeIf(pod::equals);
      for (String handle : handles(pod)) {
        neighbour.call(ipam -> ipam.releaseByHandle(handle, withoutEndpoint(pod)));
      }
      released.incrementAndGet();
    }
    neighbour.call(ipam -> ipam.releaseAffinities(node));
  }

  private List<String> handles(String pod) {
    return handlesOfPods.getOrDefault(pod, List.of());
  }

  private static SameTxn.Extras withoutEndpoint(String pod) {
    return new SameTxn.Extras(
        List.of(), List.of(new Txn.Write.Delete(IpamCheck.ENDPOINTS + "ns/" + pod)));
  }

  private static Txn.Write endpoint(String pod, List<IpAddress> addresses) {
    return new Txn.Write.Put(
        IpamCheck.ENDPOINTS + "ns/" + pod,
        "{\"spec\":{\"ipNetworks\":["
            + String.join(",", addresses.stream().map(each -> "\"" + each + "\"").toList())
            + "]}}");
  }

  private interface Call<R> {
    R on(Ipam ipam) throws DatastoreException;
  }

  /// One agent process: dies, and is started again, settling its claims before anything else.
  private final class Agent implements AutoCloseable {
    private final String node;
    private final Datastore real;
    private final Random random;
    private FaultyDatastore store;
    private Ipam ipam;

    Agent(String node, Datastore real, long seed) {
      this.node = node;
      this.real = real;
      this.random = new Random(seed);
      store = faulty();
      ipam = new Ipam(store, Instant::now, pools);
    }

    private FaultyDatastore faulty() {
      return new FaultyDatastore(
          real, random.nextLong(), shape.conflicts(), shape.losses(), shape.deaths());
    }

    private synchronized Ipam current() {
      return ipam;
    }

    private synchronized void onFailure(Ipam seen) {
      failed.incrementAndGet();
      if (seen != ipam || !store.isDead()) {
        return;
      }
      deaths.incrementAndGet();
      close();
      store = faulty();
      ipam = new Ipam(store, Instant::now, pools);
    }

    /// Asks until there is an answer, as a runtime does.
    <R> R call(Call<R> call) {
      DatastoreException last = null;
      for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        Ipam now = current();
        try {
          return call.on(now);
        } catch (DatastoreException lost) {
          last = lost;
          onFailure(now);
        }
      }
      throw new AssertionError(node + " never answered", last);
    }

    @Override
    public void close() {
      conflicts.addAndGet(store.conflicts.get());
      // Its last request is done or lost before anybody asks again.
      store.die();
      ipam.close();
    }
  }

  /// One pod's life.
  private final class Pod {
    private final String node;
    private final String name;
    private final Random random;
    private final ExecutorService callers;

    Pod(String node, String name, Random random, ExecutorService callers) {
      this.node = node;
      this.name = name;
      this.random = random;
      this.callers = callers;
    }

    private Map<String, String> attributes() {
      return Map.of("pod", name, "namespace", "ns", "node", node);
    }

    private void begin(String handle) {
      handlesOfPods.computeIfAbsent(name, _ -> new ArrayList<>()).add(handle);
    }

    private void hold(Collection<IpAddress> addresses) {
      for (IpAddress address : addresses) {
        String other = live.put(address, name);
        assertThat(other).as("%s of %s is live twice", address, name).isNull();
      }
      assigned.incrementAndGet();
    }

    private void drop() {
      live.values().removeIf(name::equals);
    }

    void live(boolean stays) throws Exception {
      String handle = "net." + name;
      begin(handle);
      AssignRequest request =
          new AssignRequest(
              handle,
              node,
              1,
              1,
              attributes(),
              List.of(),
              held ->
                  new SameTxn.Extras(
                      List.of(),
                      List.of(endpoint(name, held.stream().map(Assignment::address).toList()))));
      Agent process = agent(node);
      Agent twin = agent(node + "'");
      Future<AssignResult> second =
          random.nextDouble() < shape.twins()
              ? callers.submit(() -> twin.call(ipam -> ipam.assign(request)))
              : null;
      List<Assignment> held = Cluster.assigned(process.call(ipam -> ipam.assign(request)));
      assertThat(held).hasSize(2);
      if (second != null) {
        assertThat(Cluster.assigned(second.get()))
            .as("what both processes say of %s", handle)
            .extracting(Assignment::address)
            .containsExactlyElementsOf(held.stream().map(Assignment::address).toList());
      }
      hold(held.stream().map(Assignment::address).toList());
      if (!stays) {
        drop();
        Agent last = random.nextDouble() < shape.twins() ? twin : process;
        assertThat(
                last.<ReleaseResult>call(
                    ipam -> ipam.releaseByHandle(handle, withoutEndpoint(name))))
            .isInstanceOf(ReleaseResult.Released.class);
        released.incrementAndGet();
      }
    }

    /// Each call is a process of its own and may die in it; then the runtime deletes what it may
    /// have left and tries with a new container.
    void liveCalicosWay(Datastore real, boolean stays) {
      for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        String handle = "net." + name + "." + attempt;
        begin(handle);
        FaultyDatastore store = calicos(real);
        try {
          CalicoNode calico = new CalicoNode(store, node, pools, Instant::now);
          List<IpAddress> addresses = new ArrayList<>();
          for (IpFamily family : IpFamily.values()) {
            addresses.addAll(calico.autoAssign(handle, family, 1, attributes()));
          }
          assertThat(addresses).hasSize(2);
          store.commit(new Txn(List.of(), List.of(endpoint(name, addresses))));
          hold(addresses);
          if (!stays) {
            drop();
            delete(real, handle);
            released.incrementAndGet();
          }
          return;
        } catch (DatastoreException died) {
          deaths.incrementAndGet();
          // A handle counted up and a block never written: Calico's own DEL does not see it.
          unfinished.add(handle);
          delete(real, handle);
        }
      }
      throw new AssertionError(name + " never started");
    }

    private FaultyDatastore calicos(Datastore real) {
      return new FaultyDatastore(real, random.nextLong(), 0, 0, shape.deaths());
    }

    private void delete(Datastore real, String handle) {
      for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        FaultyDatastore store = calicos(real);
        try {
          store.commit(
              new Txn(
                  List.of(), List.of(new Txn.Write.Delete(IpamCheck.ENDPOINTS + "ns/" + name))));
          new CalicoNode(store, node, pools, Instant::now).releaseByHandle(handle);
          return;
        } catch (DatastoreException died) {
          deaths.incrementAndGet();
          // A block freed and a handle not counted down: a second DEL does not see it.
          unfinished.add(handle);
        }
      }
      throw new AssertionError(handle + " was never deleted");
    }
  }

  /// Every node becomes ours and starts: what dead clients left is finished. Then the store's own
  /// word is compared with the pods'.
  void verify() throws DatastoreException {
    try (Ipam heir = new Ipam(shared, Instant::now, pools)) {
      for (String handle : unfinished) {
        heir.releaseByHandle(handle, SameTxn.Extras.NONE);
      }
      for (int number = 0; number < shape.nodes(); number++) {
        heir.settleAffinities(node(number));
      }
    }
    IpamReport report = IpamCheck.run(shared);
    assertThat(report.findings()).as("seed %d", seed).isEmpty();
    Map<IpAddress, String> stored = new HashMap<>();
    for (KeyValue item : shared.list(IpamKeys.BLOCKS).items()) {
      Block.parse(item.key(), item.value())
          .allocated()
          .forEach(each -> stored.put(each.address(), each.holder().secondary().get("pod")));
    }
    assertThat(stored).as("seed %d", seed).isEqualTo(live);
    assertThat(report.handleCount()).isEqualTo(live.size() / 2);
  }

  int liveCount() {
    return live.size();
  }

  @Override
  public String toString() {
    return "seed "
        + seed
        + ": "
        + shape.nodes()
        + " nodes ("
        + shape.calico()
        + " Calico's way, "
        + shape.removed()
        + " removed), "
        + assigned
        + " pods started, "
        + released
        + " stopped, "
        + deaths
        + " deaths, "
        + failed
        + " calls failed, "
        + conflicts
        + " commits lost to others";
  }
}
