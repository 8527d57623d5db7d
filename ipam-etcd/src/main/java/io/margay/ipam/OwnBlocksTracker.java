package io.margay.ipam;

import io.margay.datastore.Change;
import io.margay.datastore.KeyValue;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/// Follows what one node announces from changes to {@link IpamKeys#BLOCKS} and {@link
/// IpamKeys#affinities}; other keys are passed over. A document that can't be read counts as
/// absent. Owned by the caller's loop.
public final class OwnBlocksTracker {

  private final String node;
  private final TreeSet<Prefix> confirmed = new TreeSet<>();
  private final Map<Prefix, List<IpAddress>> borrowedByBlock = new HashMap<>();

  public OwnBlocksTracker(String node) {
    this.node = node;
  }

  /// @return whether {@link #current} may be different now
  public boolean onChange(Change change) {
    Optional<Prefix> block = IpamKeys.blockOf(change.key());
    if (block.isPresent()) {
      List<IpAddress> now = borrowed(change);
      List<IpAddress> before =
          now.isEmpty()
              ? borrowedByBlock.remove(block.get())
              : borrowedByBlock.put(block.get(), now);
      return !now.equals(before == null ? List.of() : before);
    }
    Optional<IpamKeys.AffinityKey> claim =
        IpamKeys.affinityOf(change.key()).filter(key -> key.node().equals(node));
    return claim.isPresent()
        && (isConfirmed(change)
            ? confirmed.add(claim.get().block())
            : confirmed.remove(claim.get().block()));
  }

  private List<IpAddress> borrowed(Change change) {
    return switch (change) {
      case Change.Delete _ -> List.of();
      case Change.Put(KeyValue item) -> {
        if (!mayHoldBorrowed(item.value())) {
          yield List.of();
        }
        try {
          Block block = Block.parse(item.key(), item.value());
          yield block.isAffineTo(node)
              ? List.of()
              : block.allocated().stream()
                  .filter(allocation -> allocation.holder().node().equals(Optional.of(node)))
                  .map(Block.Allocation::address)
                  .toList();
        } catch (IllegalArgumentException unreadable) {
          yield List.of();
        }
      }
    };
  }

  /// Every assignment in the cluster rewrites a block, and every node hears of it: reading each
  /// document in full would cost more than the rest of this node's work. A block borrowed from
  /// names the node as a holder and somebody else as its owner.
  private boolean mayHoldBorrowed(String document) {
    return document.contains("\"" + node + "\"") && !document.contains("\"host:" + node + "\"");
  }

  private static boolean isConfirmed(Change change) {
    return switch (change) {
      case Change.Delete _ -> false;
      case Change.Put(KeyValue item) -> {
        try {
          BlockAffinity affinity = BlockAffinity.parse(item.key(), item.value());
          yield affinity.state() == BlockAffinity.State.CONFIRMED && !affinity.deleted();
        } catch (IllegalArgumentException unreadable) {
          yield false;
        }
      }
    };
  }

  public OwnBlocks current() {
    return OwnBlocks.of(
        confirmed, borrowedByBlock.values().stream().flatMap(List::stream).toList());
  }
}
