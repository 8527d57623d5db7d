package io.margay.ipam;

import io.margay.datastore.KeyValue;
import io.margay.ipam.IpamKeys.AffinityKey;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What the committer believes the datastore holds. Every belief carries its revision and every
/// commit is conditional on it, so that a wrong belief costs a round trip and never an address.
/// Owned by the committer's thread.
final class BlockCache {

  private static final Logger LOG = LoggerFactory.getLogger(BlockCache.class);

  /// Beliefs about other nodes' blocks kept before they are all dropped.
  private static final int MAX_BLOCKS = 2048;

  /// Handles remembered, oldest forgotten first: enough for every pod of a node to be deleted in
  /// one round trip.
  private static final int MAX_HANDLES = 4096;

  /// Blocks of a family whose mere existence is remembered between searches.
  private static final int MAX_REMEMBERED = 8192;

  /// How long it is.
  private static final Duration REMEMBERED_FOR = Duration.ofMinutes(1);

  /// Which blocks there were, and when.
  private record Taken(Instant at, NavigableSet<Prefix> blocks) {}

  /// A document and the revision it was written at.
  record Stored<T>(T value, long modRevision) {}

  /// All blocks of a family as of one listing.
  ///
  /// @param tick when, on the committer's own clock
  /// @param taken every block there is, readable or not
  record Survey(
      long tick, NavigableMap<Prefix, Stored<Block>> blocks, NavigableSet<Prefix> taken) {}

  private final Map<Prefix, Stored<Block>> blocks = new HashMap<>();
  private final Map<String, NavigableMap<Prefix, Stored<BlockAffinity>>> affinities =
      new HashMap<>();
  private final Map<AffinityKey, Belief> foreignClaims = new HashMap<>();
  private final Map<Prefix, Unreadable> unreadable = new HashMap<>();
  private final Set<AffinityKey> unreadableClaims = new HashSet<>();
  private final Map<String, Unreadable> unreadableHandles = new HashMap<>();
  private @Nullable Settings settings;

  /// What the settings' document said when it could last be read; null when there was none.
  private @Nullable IpamConfig lastSettings;

  /// The revision of the settings' document that was last called unreadable.
  private long toldSettings;

  private final Map<IpFamily, Survey> surveys = new EnumMap<>(IpFamily.class);
  private final Map<IpFamily, Taken> taken = new EnumMap<>(IpFamily.class);
  private final Map<String, Stored<Handle>> handles =
      new LinkedHashMap<>(64, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Stored<Handle>> eldest) {
          return size() > MAX_HANDLES;
        }
      };

  /// The cluster's settings as of one reading.
  ///
  /// @param value while the document can't be read, what it said before; the defaults if that was
  ///   never known
  /// @param modRevision 0 when there is no document
  /// @param unknown the document, if what it should say was never known
  record Settings(IpamConfig value, long modRevision, Optional<Unreadable> unknown) {

    static final Settings NONE = new Settings(IpamConfig.DEFAULT, 0, Optional.empty());
  }

  /// Null until they have been read.
  @Nullable Settings settings() {
    return settings;
  }

  @Nullable Stored<Block> block(Prefix cidr) {
    Stored<Block> known = blocks.get(cidr);
    if (known != null) {
      return known;
    }
    Survey survey = surveys.get(cidr.family());
    return survey == null ? null : survey.blocks().get(cidr);
  }

  /// @throws UnreadableException when there is one that can't be read
  @Nullable Stored<Handle> handle(String id) {
    Unreadable document = unreadableHandles.get(id);
    if (document != null) {
      throw new UnreadableException(document);
    }
    return handles.get(id);
  }

  /// Has whoever needs this document next look again: a person may have put it right.
  void doubt(Unreadable document) {
    IpamKeys.handleOf(document.key()).ifPresent(unreadableHandles::remove);
  }

  /// What is known of a claim, whosever.
  ///
  /// @param claim empty when it is known not to be there
  record Belief(Optional<Stored<BlockAffinity>> claim) {}

  /// Null when nothing is known.
  @Nullable Belief claim(AffinityKey key) {
    NavigableMap<Prefix, Stored<BlockAffinity>> claims = affinities.get(key.node());
    return claims == null
        ? foreignClaims.get(key)
        : new Belief(Optional.ofNullable(claims.get(key.block())));
  }

  boolean isUnreadable(AffinityKey claim) {
    return unreadableClaims.contains(claim);
  }

  /// A node's claims in address order; null until they have been read.
  @Nullable NavigableMap<Prefix, Stored<BlockAffinity>> affinities(String node) {
    return affinities.get(node);
  }

  @Nullable Survey survey(IpFamily family) {
    return surveys.get(family);
  }

  /// The blocks there were a short while ago: good enough to guess one that is free, for claiming
  /// it depends on its absence. Null when nothing recent is remembered.
  @Nullable NavigableSet<Prefix> recentlyTaken(IpFamily family, Instant now) {
    Taken known = taken.get(family);
    return known == null || known.at().plus(REMEMBERED_FOR).isBefore(now) ? null : known.blocks();
  }

  /// The known block around an address.
  Optional<Stored<Block>> blockAround(IpAddress address) {
    for (Stored<Block> known : blocks.values()) {
      if (known.value().cidr().contains(address)) {
        return Optional.of(known);
      }
    }
    Survey survey = surveys.get(address.family());
    if (survey == null) {
      return Optional.empty();
    }
    Map.Entry<Prefix, Stored<Block>> below = survey.blocks().floorEntry(address.toHostPrefix());
    return below != null && below.getKey().contains(address)
        ? Optional.of(below.getValue())
        : Optional.empty();
  }

  void put(Block block, long modRevision) {
    if (blocks.size() >= MAX_BLOCKS) {
      blocks.clear();
    }
    blocks.put(block.cidr(), new Stored<>(block, modRevision));
  }

  void dropBlock(Prefix cidr) {
    blocks.remove(cidr);
    Survey survey = surveys.get(cidr.family());
    if (survey != null) {
      survey.blocks().remove(cidr);
    }
  }

  void put(Handle handle, long modRevision) {
    unreadableHandles.remove(handle.id());
    handles.put(handle.id(), new Stored<>(handle, modRevision));
  }

  void dropHandle(String id) {
    unreadableHandles.remove(id);
    handles.remove(id);
  }

  void put(AffinityKey key, BlockAffinity affinity, long modRevision) {
    unreadableClaims.remove(key);
    NavigableMap<Prefix, Stored<BlockAffinity>> claims = affinities.get(key.node());
    if (claims != null) {
      claims.put(key.block(), new Stored<>(affinity, modRevision));
    } else {
      foreignClaims.put(key, new Belief(Optional.of(new Stored<>(affinity, modRevision))));
    }
  }

  void drop(AffinityKey key) {
    unreadableClaims.remove(key);
    NavigableMap<Prefix, Stored<BlockAffinity>> claims = affinities.get(key.node());
    if (claims != null) {
      claims.remove(key.block());
    } else {
      foreignClaims.put(key, new Belief(Optional.empty()));
    }
  }

  /// Starts believing about a node's claims.
  void openNode(String node, List<KeyValue> items) {
    affinities.put(node, new TreeMap<>(Comparator.naturalOrder()));
    items.forEach(this::learn);
  }

  void survey(IpFamily family, long tick, Instant now, List<KeyValue> items) {
    NavigableMap<Prefix, Stored<Block>> all = new TreeMap<>();
    NavigableSet<Prefix> existing = new TreeSet<>();
    for (KeyValue item : items) {
      Optional<Prefix> cidr = IpamKeys.blockOf(item.key());
      if (cidr.isPresent()) {
        existing.add(cidr.get());
        Block block = parse(cidr.get(), item);
        if (block != null) {
          all.put(cidr.get(), new Stored<>(block, item.modRevision()));
        }
      }
    }
    unreadable.keySet().removeIf(cidr -> cidr.family() == family && !existing.contains(cidr));
    blocks.keySet().removeIf(cidr -> cidr.family() == family);
    surveys.put(family, new Survey(tick, all, existing));
    if (existing.size() <= MAX_REMEMBERED) {
      taken.put(family, new Taken(now, existing));
    } else {
      taken.remove(family);
    }
  }

  /// Lets go of what only a search for a block needed.
  void endSurveys() {
    foreignClaims.clear();
    if (surveys.isEmpty()) {
      return;
    }
    for (NavigableMap<Prefix, Stored<BlockAffinity>> claims : affinities.values()) {
      for (Prefix cidr : claims.keySet()) {
        Stored<Block> known = block(cidr);
        if (known != null) {
          blocks.put(cidr, known);
        }
      }
    }
    surveys.clear();
  }

  /// Takes over what the datastore says about these keys: those in `current` as they are, the
  /// others as absent.
  void learn(Collection<String> keys, Map<String, KeyValue> current) {
    for (String key : keys) {
      KeyValue item = current.get(key);
      if (item != null) {
        learn(item);
      } else {
        forget(key);
      }
    }
  }

  private void learn(KeyValue item) {
    String key = item.key();
    IpamKeys.blockOf(key)
        .ifPresent(
            cidr -> {
              Block block = parse(cidr, item);
              if (block == null) {
                dropBlock(cidr);
              } else {
                put(block, item.modRevision());
              }
            });
    IpamKeys.handleOf(key).ifPresent(id -> learnHandle(id, item));
    IpamKeys.affinityOf(key).ifPresent(claim -> learnClaim(claim, item));
    if (key.equals(IpamKeys.CONFIG)) {
      learnSettings(item);
    }
  }

  /// Settings that can't be read change nothing for who knows what they were. Who does not can't
  /// assign, since they may forbid it, but can give back.
  private void learnSettings(KeyValue item) {
    try {
      lastSettings = IpamConfig.parse(item.value());
      settings = new Settings(lastSettings, item.modRevision(), Optional.empty());
    } catch (IllegalArgumentException wrong) {
      Unreadable document = new Unreadable(item.key(), String.valueOf(wrong.getMessage()));
      IpamConfig last = lastSettings;
      settings =
          last == null
              ? new Settings(IpamConfig.DEFAULT, item.modRevision(), Optional.of(document))
              : new Settings(last, item.modRevision(), Optional.empty());
      if (toldSettings != item.modRevision()) {
        toldSettings = item.modRevision();
        LOG.atWarn()
            .addKeyValue("key", item.key())
            .addKeyValue("reason", document.sentence())
            .log(
                last == null
                    ? "no address is assigned: the settings can't be read"
                    : "the settings can't be read; what they said before stays in force");
      }
    }
  }

  /// A handle that can't be read harms only its own holder.
  private void learnHandle(String id, KeyValue item) {
    try {
      put(Handle.parse(id, item.value()), item.modRevision());
    } catch (IllegalArgumentException wrong) {
      handles.remove(id);
      unreadableHandles.put(id, new Unreadable(item.key(), String.valueOf(wrong.getMessage())));
    }
  }

  /// A claim that can't be read is nobody's to change; its block is not touched through it.
  private void learnClaim(AffinityKey claim, KeyValue item) {
    try {
      put(claim, BlockAffinity.parse(item.key(), item.value()), item.modRevision());
    } catch (IllegalArgumentException wrong) {
      boolean isNews = !unreadableClaims.contains(claim);
      drop(claim);
      unreadableClaims.add(claim);
      if (isNews) {
        tell(new Unreadable(item.key(), String.valueOf(wrong.getMessage())));
      }
    }
  }

  /// A block that can't be read harms only itself: nothing is taken from it, nothing is put in its
  /// place.
  private @Nullable Block parse(Prefix cidr, KeyValue item) {
    try {
      Block block = Block.parse(item.key(), item.value());
      if (!block.cidr().equals(cidr)) {
        throw new IllegalArgumentException(item.key() + " holds block " + block.cidr());
      }
      unreadable.remove(cidr);
      return block;
    } catch (IllegalArgumentException wrong) {
      Unreadable document = new Unreadable(item.key(), String.valueOf(wrong.getMessage()));
      if (unreadable.put(cidr, document) == null) {
        tell(document);
      }
      return null;
    }
  }

  private static void tell(Unreadable document) {
    LOG.atWarn()
        .addKeyValue("key", document.key())
        .addKeyValue("reason", document.sentence())
        .log("left alone, and nothing is assigned by it: unreadable");
  }

  /// Whether the block exists but can't be used.
  boolean isUnreadable(Prefix cidr) {
    return unreadable.containsKey(cidr);
  }

  /// The block's document, if it exists but can't be used.
  Optional<Unreadable> unreadable(Prefix cidr) {
    return Optional.ofNullable(unreadable.get(cidr));
  }

  /// @throws UnreadableException when the block exists but can't be used
  void requireReadable(Prefix cidr) {
    Unreadable document = unreadable.get(cidr);
    if (document != null) {
      throw new UnreadableException(document);
    }
  }

  /// @throws UnreadableException when a block around the address exists but can't be used
  void requireReadable(IpAddress address) {
    unreadable.keySet().stream()
        .filter(cidr -> cidr.contains(address))
        .findAny()
        .ifPresent(this::requireReadable);
  }

  /// Takes the key as absent.
  void forget(String key) {
    IpamKeys.blockOf(key).ifPresent(this::forgetBlock);
    IpamKeys.handleOf(key).ifPresent(this::dropHandle);
    IpamKeys.affinityOf(key).ifPresent(this::drop);
    if (key.equals(IpamKeys.CONFIG)) {
      settings = Settings.NONE;
      lastSettings = null;
    }
  }

  private void forgetBlock(Prefix cidr) {
    unreadable.remove(cidr);
    dropBlock(cidr);
  }

  /// Unlearns everything that we write: what comes next is read afresh.
  void clear() {
    foreignClaims.clear();
    unreadableClaims.clear();
    unreadableHandles.clear();
    blocks.clear();
    affinities.clear();
    surveys.clear();
    taken.clear();
    handles.clear();
    unreadable.clear();
  }
}
