package io.margay.ipam;

import io.margay.datastore.Change;
import io.margay.datastore.KeyValue;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.util.Collections;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Follows which node has which block, and which addresses nodes have of blocks that are not their
/// own, from changes to {@link IpamKeys#BLOCKS}; other keys are passed over. A document that can't
/// be read counts as absent. Owned by the caller's loop.
///
/// Every assignment in the cluster rewrites a block and every node hears of it, so that what is
/// kept of a document is these two facts, and they are mostly found without reading it in full.
public final class BlockOwners {

  private static final String OWNER = "\"affinity\":\"host:";
  private static final String HOLDER = "\"node\":\"";

  private final TreeMap<Prefix, Held> blocks = new TreeMap<>();

  /// What of a block is whose.
  ///
  /// @param owner a node; null for nobody's
  /// @param borrowed addresses that another node has
  private record Held(@Nullable String owner, SortedMap<IpAddress, String> borrowed) {}

  /// Receives what is whose.
  public interface Visitor {
    /// A whole block is a node's.
    void owned(Prefix block, String node);

    /// An address of a block is a node's that the block is not.
    void borrowed(IpAddress address, String node);
  }

  /// @return whether {@link #visit} may tell something else now
  public boolean onChange(Change change) {
    Optional<Prefix> block = IpamKeys.blockOf(change.key());
    if (block.isEmpty()) {
      return false;
    }
    Held now =
        switch (change) {
          case Change.Delete _ -> null;
          case Change.Put(KeyValue item) -> held(item);
        };
    Held before = now == null ? blocks.remove(block.get()) : blocks.put(block.get(), now);
    return now == null ? before != null : !now.equals(before);
  }

  private static @Nullable Held held(KeyValue item) {
    String text = item.value();
    int at = text.indexOf(OWNER);
    int end = at < 0 ? -1 : text.indexOf('"', at + OWNER.length());
    if (end >= 0 && !text.contains("\"deleted\":true")) {
      String owner = text.substring(at + OWNER.length(), end);
      if (isHeldBy(owner, text)) {
        return new Held(owner, Collections.emptySortedMap());
      }
    }
    try {
      Block parsed = Block.parse(item.key(), text);
      if (parsed.deleted()) {
        return null;
      }
      String owner =
          parsed.owner().filter(name -> !name.startsWith(IpamKeys.VIRTUAL_OWNER)).orElse(null);
      TreeMap<IpAddress, String> borrowed = new TreeMap<>();
      for (Block.Allocation allocation : parsed.allocated()) {
        String node = allocation.holder().node().orElse(null);
        if (node != null && !node.equals(owner) && !allocation.isResting()) {
          borrowed.put(allocation.address(), node);
        }
      }
      return new Held(owner, borrowed);
    } catch (IllegalArgumentException unreadable) {
      return null;
    }
  }

  /// Whether no other node is named as a holder.
  private static boolean isHeldBy(String owner, String text) {
    String quoted = owner + "\"";
    for (int at = text.indexOf(HOLDER); at >= 0; at = text.indexOf(HOLDER, at + 1)) {
      if (!text.startsWith(quoted, at + HOLDER.length())) {
        return false;
      }
    }
    return true;
  }

  /// Tells what is whose, in order of address.
  public void visit(Visitor visitor) {
    blocks.forEach(
        (block, held) -> {
          if (held.owner() != null) {
            visitor.owned(block, held.owner());
          }
          held.borrowed().forEach(visitor::borrowed);
        });
  }
}
