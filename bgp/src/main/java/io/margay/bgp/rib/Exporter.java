package io.margay.bgp.rib;

import io.margay.bgp.message.RouteAttributes;
import io.margay.bgp.policy.ExportPolicy;
import io.margay.bgp.policy.RouteSource;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Rewrites routes for one peer at a time. What a set of attributes of one source becomes is
/// remembered beyond the batch: peers announce routes that share attributes in many messages.
final class Exporter {

  /// The peer is not told.
  static final int NOTHING = -1;

  /// Routes held for a batch before it should end.
  private static final int MAX_HELD = 2 * OutBatch.MAX_ROUTES;

  /// Results remembered, a power of two; a newer one takes the place of an older one.
  private static final int REMEMBERED = 1 << 18;

  /// What is remembered of a result: the policy, by its number, and what it was asked.
  private static final int POLICY = 0;

  private static final int SOURCE = 1;
  private static final int ROUTE = 2;

  /// Which of the sets that had this id in turn.
  private static final int GENERATION = 3;

  private static final int RESULT = 4;
  private static final int RESULT_GENERATION = 5;

  private static final int SPREAD = 0x9e3779b1;
  private static final long NO_KEY = -1;

  private final AttributeStore attributes;
  private final Peers peers;
  private final Selection selection;
  private final Records memory = new Records(6);

  /// What was answered and may have no other holder yet.
  private int[] held = new int[OutBatch.MAX_ROUTES];

  private int heldCount;
  private @Nullable PeerRibs to;
  private @Nullable ExportPolicy policy;
  private @Nullable FamilyRib rib;
  private boolean byPrefix;

  /// What was asked last.
  private long lastKey = NO_KEY;

  private int lastResult;

  Exporter(AttributeStore attributes, Peers peers, Selection selection) {
    this.attributes = attributes;
    this.peers = peers;
    this.selection = selection;
  }

  void begin(PeerRibs peer, ExportPolicy exportPolicy, FamilyRib family) {
    to = peer;
    policy = exportPolicy;
    rib = family;
    byPrefix = exportPolicy.dependsOnPrefix(family.family());
  }

  /// Whether a path may be chosen, and so be told to somebody who wants all.
  boolean isEligible(int slot) {
    return rib != null && selection.isEligible(rib.paths, slot);
  }

  /// The id of what the peer is told of a path, valid until {@link #end}; {@link #NOTHING} if the
  /// peer is not told.
  int export(int prefix, int slot) {
    FamilyRib from = rib;
    PeerRibs peer = to;
    if (slot == 0 || from == null || peer == null) {
      return NOTHING;
    }
    int source = from.paths.peer(slot);
    if (source == peer.number) {
      return NOTHING;
    }
    int route = from.paths.accepted(slot);
    long key = (long) route << Integer.SIZE | source;
    if (key == lastKey) {
      return lastResult;
    }
    if (byPrefix) {
      return rewrite(from, prefix, route, source);
    }
    lastResult = remembered(from, prefix, route, source, peer.exportNumber(from.family()));
    lastKey = key;
    return lastResult;
  }

  private int remembered(FamilyRib from, int prefix, int route, int peer, int number) {
    int source = peers.sourceNumber(peer);
    int at = (route + (number * 31 + source) * SPREAD) & REMEMBERED - 1;
    int generation = attributes.generation(route);
    if (memory.get(at, POLICY) == number
        && memory.get(at, SOURCE) == source
        && memory.get(at, ROUTE) == route
        && memory.get(at, GENERATION) == generation) {
      int result = memory.get(at, RESULT);
      if (result < 0) {
        return NOTHING;
      }
      if (attributes.generation(result) == memory.get(at, RESULT_GENERATION)) {
        attributes.acquire(result, 1);
        hold(result);
        return result;
      }
    }
    int result = rewrite(from, prefix, route, peer);
    memory.set(at, POLICY, number);
    memory.set(at, SOURCE, source);
    memory.set(at, ROUTE, route);
    memory.set(at, GENERATION, generation);
    memory.set(at, RESULT, result);
    memory.set(at, RESULT_GENERATION, result < 0 ? 0 : attributes.generation(result));
    return result;
  }

  private int rewrite(FamilyRib from, int prefix, int route, int source) {
    ExportPolicy rewriting = policy;
    if (rewriting == null) {
      return NOTHING;
    }
    RouteSource origin = source == Peers.OURSELVES ? null : peers.source(source);
    RouteAttributes told =
        rewriting
            .export(
                from.family(),
                byPrefix ? from.prefixes.prefix(prefix) : null,
                attributes.get(route),
                origin)
            .orElse(null);
    if (told == null) {
      return NOTHING;
    }
    int id = attributes.intern(told);
    hold(id);
    return id;
  }

  private void hold(int id) {
    if (heldCount == held.length) {
      held = Arrays.copyOf(held, heldCount * 2);
    }
    held[heldCount++] = id;
  }

  /// Whether the batch should end even though it has room: most of what was looked at needs no
  /// telling.
  boolean isFull() {
    return heldCount >= MAX_HELD;
  }

  /// The batch is complete: those who were told hold what they were told.
  void end() {
    for (int i = 0; i < heldCount; i++) {
      attributes.release(held[i]);
    }
    heldCount = 0;
    lastKey = NO_KEY;
    to = null;
    policy = null;
    rib = null;
  }
}
