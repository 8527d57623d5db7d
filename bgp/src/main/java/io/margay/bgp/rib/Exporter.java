package io.margay.bgp.rib;

import io.margay.bgp.message.RouteAttributes;
import io.margay.bgp.policy.ExportPolicy;
import io.margay.bgp.policy.RouteSource;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Rewrites routes for one peer at a time. Within a batch a set of attributes of one source is
/// rewritten once, however many prefixes it has.
final class Exporter {

  /// The peer is not told.
  static final int NOTHING = -1;

  /// Results remembered within a batch; more are worked out again.
  private static final int MAX_REMEMBERED = 2 * OutBatch.MAX_ROUTES;

  private static final int SLOTS = 2 * MAX_REMEMBERED;
  private static final long NO_KEY = -1;
  private static final long SPREAD = 0x9e3779b97f4a7c15L;

  private final AttributeStore attributes;
  private final Peers peers;
  private final Selection selection;
  private final long[] keys = new long[SLOTS];
  private final int[] results = new int[SLOTS];
  private final int[] taken = new int[MAX_REMEMBERED];
  private int remembered;

  /// What was rewritten and may have no other holder yet.
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
    Arrays.fill(keys, NO_KEY);
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
    int at = (int) (key * SPREAD >>> 40) & SLOTS - 1;
    while (keys[at] != NO_KEY) {
      if (keys[at] == key) {
        lastKey = key;
        lastResult = results[at];
        return lastResult;
      }
      at = at + 1 & SLOTS - 1;
    }
    int result = rewrite(from, prefix, route, source);
    if (remembered < MAX_REMEMBERED) {
      keys[at] = key;
      results[at] = result;
      taken[remembered++] = at;
    }
    lastKey = key;
    lastResult = result;
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
    if (heldCount == held.length) {
      held = Arrays.copyOf(held, heldCount * 2);
    }
    held[heldCount++] = id;
    return id;
  }

  /// Whether the batch should end even though it has room: most of what was looked at needs no
  /// telling.
  boolean isFull() {
    return heldCount >= MAX_REMEMBERED;
  }

  /// The batch is complete: those who were told hold what they were told.
  void end() {
    for (int i = 0; i < heldCount; i++) {
      attributes.release(held[i]);
    }
    for (int i = 0; i < remembered; i++) {
      keys[taken[i]] = NO_KEY;
    }
    heldCount = 0;
    remembered = 0;
    lastKey = NO_KEY;
    to = null;
    policy = null;
    rib = null;
  }
}
