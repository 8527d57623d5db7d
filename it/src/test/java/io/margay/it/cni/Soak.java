package io.margay.it.cni;

import io.margay.it.cni.Invariants.Live;
import io.margay.it.cni.Node.Answer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/// Rounds of ADD and DEL, a few side by side, in which clients and the agent are killed at random
/// moments, and what a runtime may do afterwards: nothing, DEL, the same ADD again, or another
/// container.
final class Soak {

  private static final int WORKERS = 4;
  private static final int TRY_LATER = 11;
  private static final int CONTAINER_OCTETS = 32;

  /// How far into a call a kill may come: a call takes a few milliseconds on a quiet machine.
  private static final int KILL_WITHIN_MICROS = 40_000;

  private final Node node;
  private final long seed;
  private final Hits hits;
  private final Map<String, String> owners = new ConcurrentHashMap<>();
  private final List<String> wrong = Collections.synchronizedList(new ArrayList<>());
  private final AtomicInteger clientKills = new AtomicInteger();
  private final AtomicInteger agentKills = new AtomicInteger();
  private final AtomicInteger refused = new AtomicInteger();

  /// In how many rounds of a thousand something is killed.
  record Hits(int clients, int agents) {}

  Soak(Node node, long seed, Hits hits) {
    this.node = node;
    this.seed = seed;
    this.hits = hits;
  }

  /// What happens in one round besides ADD and DEL.
  private enum Fate {
    QUIET,
    CLIENT_DIES_IN_ADD,
    AGENT_DIES_IN_ADD,
    CLIENT_DIES_IN_DEL,
    AGENT_DIES_IN_DEL;

    static Fate draw(Random random, Hits hits) {
      int number = random.nextInt(1000);
      boolean inAdd = random.nextBoolean();
      if (number < hits.clients()) {
        return inAdd ? CLIENT_DIES_IN_ADD : CLIENT_DIES_IN_DEL;
      }
      if (number < hits.clients() + hits.agents()) {
        return inAdd ? AGENT_DIES_IN_ADD : AGENT_DIES_IN_DEL;
      }
      return QUIET;
    }
  }

  /// @return what went wrong: replies that should not be, addresses given twice
  List<String> run(int rounds) throws Exception {
    AtomicInteger next = new AtomicInteger();
    List<Future<?>> workers = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(WORKERS)) {
      for (int i = 0; i < WORKERS; i++) {
        workers.add(
            threads.submit(
                () -> {
                  for (int round; (round = next.getAndIncrement()) < rounds; ) {
                    round(round);
                  }
                  return null;
                }));
      }
      for (Future<?> worker : workers) {
        worker.get();
      }
    }
    return wrong;
  }

  @Override
  public String toString() {
    return "seed "
        + seed
        + ": "
        + clientKills
        + " clients and "
        + agentKills
        + " agents killed, "
        + refused
        + " ADDs told to try again";
  }

  /// Each round draws for itself, so that a seed repeats the same rounds whatever the threads do.
  private void round(int number) throws Exception {
    Random random = new Random(seed * 1_000_003 + number);
    Fate fate = Fate.draw(random, hits);
    String netns = node.newNetns();
    List<String> containers = new ArrayList<>(List.of(id(random)));
    boolean deletes = true;
    Answer added =
        call(
            "ADD",
            containers.getFirst(),
            netns,
            random,
            fate,
            Fate.CLIENT_DIES_IN_ADD,
            Fate.AGENT_DIES_IN_ADD);
    if (added.exitCode() == 0) {
      claim(containers.getFirst(), added);
    } else if (added.isKilled()) {
      switch (random.nextInt(4)) {
        case 0 -> deletes = false;
        case 1 -> {}
        case 2 -> again(containers.getFirst(), netns);
        default -> {
          // The runtime forgets the container and tries with another, in another namespace.
          String other = id(random);
          containers.add(other);
          String otherNetns = node.newNetns();
          again(other, otherNetns);
          delete(other, otherNetns, random, Fate.QUIET);
          node.delete(otherNetns);
        }
      }
    }
    if (deletes) {
      delete(containers.getFirst(), netns, random, fate);
    }
    node.delete(netns);
    containers.forEach(this::disclaim);
  }

  private static String id(Random random) {
    byte[] octets = new byte[CONTAINER_OCTETS];
    random.nextBytes(octets);
    return HexFormat.of().formatHex(octets);
  }

  private void again(String container, String netns) throws Exception {
    Answer answer = call("ADD", container, netns, new Random(), Fate.QUIET, Fate.QUIET, Fate.QUIET);
    if (answer.exitCode() == 0) {
      claim(container, answer);
    }
  }

  private void delete(String container, String netns, Random random, Fate fate) throws Exception {
    disclaim(container);
    Answer deleted =
        call(
            "DEL", container, netns, random, fate, Fate.CLIENT_DIES_IN_DEL, Fate.AGENT_DIES_IN_DEL);
    // A runtime repeats a DEL that did not succeed; one whose client was killed may get none.
    if (deleted.isKilled() && random.nextBoolean()) {
      call("DEL", container, netns, random, Fate.QUIET, Fate.QUIET, Fate.QUIET);
    }
  }

  private Answer call(
      String verb,
      String container,
      String netns,
      Random random,
      Fate fate,
      Fate clientDies,
      Fate agentDies)
      throws Exception {
    long kill = random.nextInt(KILL_WITHIN_MICROS);
    boolean killsClient = fate != Fate.QUIET && fate == clientDies;
    Thread killer = null;
    if (fate != Fate.QUIET && fate == agentDies) {
      agentKills.incrementAndGet();
      killer = Thread.ofPlatform().start(() -> crash(kill));
    }
    if (killsClient) {
      clientKills.incrementAndGet();
    }
    Path path = Node.path(netns);
    Answer answer =
        node.call(
            node.environment(verb, container, path.toString()),
            node.configuration(),
            killsClient ? kill : -1,
            List.of());
    if (killer != null) {
      killer.join();
    }
    judge(verb, container, answer);
    return answer;
  }

  private void crash(long afterMicros) {
    try {
      Thread.sleep(afterMicros / 1000, (int) (afterMicros % 1000) * 1000);
      node.crashAgent();
    } catch (Exception failure) {
      wrong.add("the agent could not be killed and started: " + failure);
    }
  }

  private void judge(String verb, String container, Answer answer) throws Exception {
    if (answer.exitCode() == 0 || answer.isKilled()) {
      return;
    }
    // An agent that starts on a busy machine may take longer than a client waits.
    if (verb.equals("ADD") && answer.code() == TRY_LATER && node.restarts() > 0) {
      refused.incrementAndGet();
      return;
    }
    wrong.add(verb + " of " + container + " ended with " + answer);
  }

  /// No address is two pods' at once.
  private void claim(String container, Answer answer) throws Exception {
    for (String address : answer.addresses()) {
      String owner = owners.put(address, container);
      if (owner != null && !owner.equals(container)) {
        wrong.add(address + " is of " + owner + " and of " + container);
      }
    }
  }

  private void disclaim(String container) {
    owners.values().removeIf(container::equals);
  }

  /// Nothing lives when all rounds are done.
  static Map<String, Live> nobody() {
    return Map.of();
  }
}
