package io.margay.ipam;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;

/// A block of addresses and who holds each: Calico's `AllocationBlock`, immutable. An ordinal is an
/// address's distance from the block's first.
///
/// Free ordinals form a queue: taken at the head, returned at the tail, so that the longest-free
/// address goes first. A freed address may rest: it stays allocated, with `releasedAt` set, until
/// the cooldown has passed.
public final class Block {

  /// How far clocks of nodes are taken to be apart.
  static final Duration MAX_SKEW = Duration.ofMinutes(1);

  private static final String HOST = "host:";

  /// What an allocation points at when it is free.
  private static final int FREE = -1;

  private final Prefix cidr;
  private final Optional<String> affinity;
  private final int[] allocations;
  private final List<Integer> unallocated;
  private final List<Attribute> attributes;
  private final long sequenceNumber;
  private final SortedMap<Integer, Long> sequenceNumbers;
  private final boolean deleted;
  private final Map<String, JsonNode> unknown;

  Block(
      Prefix cidr,
      Optional<String> affinity,
      int[] allocations,
      List<Integer> unallocated,
      List<Attribute> attributes,
      long sequenceNumber,
      SortedMap<Integer, Long> sequenceNumbers,
      boolean deleted,
      Map<String, JsonNode> unknown) {
    this.cidr = cidr;
    this.affinity = affinity;
    this.allocations = allocations;
    this.unallocated = unallocated;
    this.attributes = attributes;
    this.sequenceNumber = sequenceNumber;
    this.sequenceNumbers = sequenceNumbers;
    this.deleted = deleted;
    this.unknown = unknown;
    if (allocations.length != sizeOf(cidr)) {
      throw new IllegalArgumentException(
          "block "
              + cidr
              + " has "
              + allocations.length
              + " allocations; expected "
              + sizeOf(cidr));
    }
    for (int index : allocations) {
      if (index < FREE || index >= attributes.size()) {
        throw new IllegalArgumentException(
            "block "
                + cidr
                + " has an allocation with attribute index "
                + index
                + " of "
                + attributes.size());
      }
    }
  }

  private static int sizeOf(Prefix cidr) {
    int hostBits = cidr.family().bits() - cidr.length();
    if (hostBits > Pool.MAX_BLOCK_HOST_BITS) {
      throw new IllegalArgumentException("block " + cidr + " has more than 4096 addresses");
    }
    return 1 << hostBits;
  }

  /// A new, wholly free block. Its sequence number starts from the clock, so that a block deleted
  /// and made again never repeats a number.
  static Block create(Prefix cidr, String affinity, Instant now) {
    return create(cidr, affinity, now, 0);
  }

  /// A new, wholly free block in the place of one that had come to a sequence number.
  static Block create(Prefix cidr, String affinity, Instant now, long after) {
    int size = sizeOf(cidr);
    int[] allocations = new int[size];
    Arrays.fill(allocations, FREE);
    List<Integer> free = new ArrayList<>(size);
    for (int ordinal = 0; ordinal < size; ordinal++) {
      free.add(ordinal);
    }
    long nanos =
        Math.addExact(Math.multiplyExact(now.getEpochSecond(), 1_000_000_000L), now.getNano());
    return new Block(
        cidr,
        Optional.of(affinity),
        allocations,
        free,
        List.of(),
        Math.max(nanos, after + 1),
        new TreeMap<>(),
        false,
        BlockJson.claimedAt(Map.of(), now));
  }

  /// @throws IllegalArgumentException naming the key and the fault, when the document can't be read
  public static Block parse(String key, String json) {
    return BlockJson.read(key, json);
  }

  /// The affinity of an owner's block: `host:<node>`, or `virtual:<name>` as it is.
  static String hostAffinity(String node) {
    return node.startsWith(IpamKeys.VIRTUAL_OWNER) ? node : HOST + node;
  }

  /// Whose block it is: a node's name, or `virtual:<name>`.
  public Optional<String> owner() {
    return affinity.map(whose -> whose.startsWith(HOST) ? whose.substring(HOST.length()) : whose);
  }

  /// Since when it is its owner's; empty when the document does not say.
  public Optional<Instant> claimedAt() {
    return BlockJson.claimedAt(unknown);
  }

  /// Whether nothing in it is held or rests.
  boolean isWhollyFree() {
    return unallocated.size() == allocations.length;
  }

  public Prefix cidr() {
    return cidr;
  }

  /// `host:<node>`, `virtual:<name>`, or nothing.
  public Optional<String> affinity() {
    return affinity;
  }

  public boolean isAffineTo(String node) {
    return affinity.isPresent() && affinity.get().equals(hostAffinity(node));
  }

  public long sequenceNumber() {
    return sequenceNumber;
  }

  public int size() {
    return allocations.length;
  }

  /// Addresses neither held nor resting.
  public int freeCount() {
    return unallocated.size();
  }

  /// Whether nobody holds an address; resting ones don't count.
  public boolean isEmpty() {
    return allocated().isEmpty();
  }

  /// Addresses held now, by ordinal; resting ones left out.
  public List<Allocation> allocated() {
    List<Allocation> held = new ArrayList<>();
    for (int ordinal = 0; ordinal < allocations.length; ordinal++) {
      if (allocations[ordinal] != FREE
          && attributes.get(allocations[ordinal]).releasedAt().isEmpty()) {
        held.add(allocation(ordinal));
      }
    }
    return held;
  }

  /// Addresses freed but not yet free again, by ordinal.
  public List<Allocation> resting() {
    List<Allocation> resting = new ArrayList<>();
    for (int ordinal = 0; ordinal < allocations.length; ordinal++) {
      if (allocations[ordinal] != FREE
          && attributes.get(allocations[ordinal]).releasedAt().isPresent()) {
        resting.add(allocation(ordinal));
      }
    }
    return resting;
  }

  /// Who holds `address`, resting or not; empty when it is free.
  ///
  /// @throws IllegalArgumentException when the address is not in this block
  public Optional<Allocation> allocationOf(IpAddress address) {
    int ordinal = ordinalOf(address);
    return allocations[ordinal] == FREE ? Optional.empty() : Optional.of(allocation(ordinal));
  }

  private Allocation allocation(int ordinal) {
    return new Allocation(
        addressOf(ordinal),
        attributes.get(allocations[ordinal]),
        sequenceNumbers.getOrDefault(ordinal, 0L));
  }

  IpAddress addressOf(int ordinal) {
    return cidr.address().plus(ordinal);
  }

  private int ordinalOf(IpAddress address) {
    if (!cidr.contains(address)) {
      throw new IllegalArgumentException(address + " is not in block " + cidr);
    }
    byte[] octets = address.toBytes();
    int low = (octets[octets.length - 2] & 0xff) << 8 | octets[octets.length - 1] & 0xff;
    return low & allocations.length - 1;
  }

  /// Takes up to `count` addresses from the head of the queue, passing over the reserved, which
  /// keep their place.
  Taken take(int count, Attribute holder, Predicate<IpAddress> reserved) {
    Draft draft = new Draft();
    List<IpAddress> taken = new ArrayList<>(count);
    List<Integer> left = new ArrayList<>(unallocated.size());
    for (int ordinal : unallocated) {
      IpAddress address = addressOf(ordinal);
      if (taken.size() < count && !reserved.test(address)) {
        draft.allocate(ordinal, holder);
        taken.add(address);
      } else {
        left.add(ordinal);
      }
    }
    draft.unallocated = left;
    return new Taken(taken.isEmpty() ? this : draft.build(), List.copyOf(taken));
  }

  /// Takes one particular address, which must be free.
  public Block takeExactly(IpAddress address, Attribute holder) {
    int ordinal = ordinalOf(address);
    if (allocations[ordinal] != FREE) {
      throw new IllegalStateException(address + " in block " + cidr + " is not free");
    }
    Draft draft = new Draft();
    draft.allocate(ordinal, holder);
    draft.unallocated.removeIf(free -> free == ordinal);
    return draft.build();
  }

  /// Gives one held or resting address to another holder.
  Block reassign(IpAddress address, Attribute holder) {
    int ordinal = ordinalOf(address);
    if (allocations[ordinal] == FREE) {
      throw new IllegalStateException(address + " in block " + cidr + " is free");
    }
    Draft draft = new Draft();
    draft.allocate(ordinal, holder);
    draft.dropUnusedAttributes();
    return draft.build();
  }

  /// Frees addresses, all of which must be held. With a cooldown they rest first.
  public Block free(List<IpAddress> addresses, Instant now, Duration cooldown) {
    Draft draft = new Draft();
    for (IpAddress address : addresses) {
      int ordinal = ordinalOf(address);
      if (allocations[ordinal] == FREE) {
        throw new IllegalStateException(address + " in block " + cidr + " is already free");
      }
      if (cooldown.isZero()) {
        draft.release(ordinal);
      } else {
        draft.rest(ordinal, now);
      }
    }
    draft.dropUnusedAttributes();
    return draft.build();
  }

  /// This block with addresses that have rested long enough returned to the queue, longest-rested
  /// first.
  public Block rested(Instant now, Duration cooldown) {
    Deque<Integer> due = new ArrayDeque<>();
    for (int ordinal = 0; ordinal < allocations.length; ordinal++) {
      if (allocations[ordinal] != FREE
          && isDue(attributes.get(allocations[ordinal]), now, cooldown)) {
        due.add(ordinal);
      }
    }
    if (due.isEmpty()) {
      return this;
    }
    List<Integer> byAge = new ArrayList<>(due);
    byAge.sort((a, b) -> releasedAt(a).compareTo(releasedAt(b)));
    Draft draft = new Draft();
    byAge.forEach(draft::release);
    draft.dropUnusedAttributes();
    return draft.build();
  }

  private Instant releasedAt(int ordinal) {
    return attributes.get(allocations[ordinal]).releasedAt().orElseThrow();
  }

  private static boolean isDue(Attribute attribute, Instant now, Duration cooldown) {
    return attribute.releasedAt().filter(at -> hasRested(at, cooldown, now)).isPresent();
  }

  /// Whether an address that was freed at some time has rested enough. One that is said to have
  /// been freed in the future, by more than clocks of nodes differ, was so by a clock that was
  /// wrong, and does not rest until then.
  static boolean hasRested(Instant releasedAt, Duration cooldown, Instant now) {
    return !releasedAt.plus(cooldown).isAfter(now)
        || releasedAt.isAfter(now.plus(cooldown).plus(MAX_SKEW));
  }

  /// This block as somebody else's, or nobody's; since when is not said.
  public Block withAffinity(Optional<String> next) {
    return new Block(
        cidr,
        next,
        allocations,
        unallocated,
        attributes,
        sequenceNumber,
        sequenceNumbers,
        deleted,
        BlockJson.unclaimed(unknown));
  }

  /// This block as it is written: its sequence number one higher than when it was read.
  public Block advanced() {
    return new Block(
        cidr,
        affinity,
        allocations,
        unallocated,
        attributes,
        sequenceNumber + 1,
        sequenceNumbers,
        deleted,
        unknown);
  }

  int[] allocations() {
    return allocations;
  }

  List<Integer> unallocated() {
    return Collections.unmodifiableList(unallocated);
  }

  List<Attribute> attributes() {
    return Collections.unmodifiableList(attributes);
  }

  SortedMap<Integer, Long> sequenceNumbers() {
    return Collections.unmodifiableSortedMap(sequenceNumbers);
  }

  boolean deleted() {
    return deleted;
  }

  Map<String, JsonNode> unknown() {
    return unknown;
  }

  public String toJson() {
    return BlockJson.write(this);
  }

  /// One held address.
  ///
  /// @param sequenceNumber the block's when it was taken; 0 when the document does not say
  public record Allocation(IpAddress address, Attribute holder, long sequenceNumber) {

    /// Whether it is freed but not yet free again.
    public boolean isResting() {
      return holder.releasedAt().isPresent();
    }
  }

  /// Who holds addresses, shared by all addresses with the same.
  ///
  /// @param secondary `pod`, `namespace`, `node`, `timestamp`…
  /// @param releasedAt when the address was freed; it rests since
  /// @param unknown fields of later versions, kept as they are
  public record Attribute(
      Optional<String> handleId,
      SortedMap<String, String> secondary,
      Optional<Instant> releasedAt,
      Map<String, JsonNode> unknown) {

    /// Secondary attribute of addresses that no endpoint has, since another plugin makes the
    /// interface: `role: ipam`.
    public static final String ROLE = "role";

    public static final String ROLE_IPAM = "ipam";

    public static Attribute of(String handleId, Map<String, String> secondary) {
      return new Attribute(
          Optional.of(handleId), new TreeMap<>(secondary), Optional.empty(), Map.of());
    }

    /// Of freed addresses: as in Calico's documents, nothing tells any more whose they were.
    static Attribute resting(Instant since) {
      return new Attribute(Optional.empty(), new TreeMap<>(), Optional.of(since), Map.of());
    }

    /// The handle without what old migrations appended to it.
    public Optional<String> cleanHandleId() {
      return handleId.map(Attribute::clean);
    }

    static String clean(String id) {
      return id.indexOf('\r') < 0 ? id : id.substring(0, id.indexOf('\r'));
    }

    /// Whether another plugin's interface has the address, so that no endpoint need have it.
    public boolean isOfForeignInterface() {
      return ROLE_IPAM.equals(secondary.get(ROLE));
    }

    /// The node the address is for.
    public Optional<String> node() {
      return Optional.ofNullable(secondary.get("node"));
    }
  }

  /// The block after some addresses were taken.
  record Taken(Block block, List<IpAddress> addresses) {}

  /// A copy being changed.
  private final class Draft {
    private final int[] allocations = Block.this.allocations.clone();
    private List<Integer> unallocated = new ArrayList<>(Block.this.unallocated);
    private List<Attribute> attributes = new ArrayList<>(Block.this.attributes);
    private final SortedMap<Integer, Long> sequenceNumbers =
        new TreeMap<>(Block.this.sequenceNumbers);

    void allocate(int ordinal, Attribute holder) {
      allocations[ordinal] = indexOf(holder);
      sequenceNumbers.put(ordinal, sequenceNumber);
    }

    void release(int ordinal) {
      allocations[ordinal] = FREE;
      sequenceNumbers.remove(ordinal);
      unallocated.add(ordinal);
    }

    void rest(int ordinal, Instant now) {
      allocations[ordinal] = indexOf(Attribute.resting(now.truncatedTo(ChronoUnit.SECONDS)));
    }

    private int indexOf(Attribute attribute) {
      int index = attributes.indexOf(attribute);
      if (index < 0) {
        attributes.add(attribute);
        index = attributes.size() - 1;
      }
      return index;
    }

    void dropUnusedAttributes() {
      Map<Integer, Integer> renumbered = new LinkedHashMap<>();
      List<Attribute> kept = new ArrayList<>();
      boolean[] used = new boolean[attributes.size()];
      for (int index : allocations) {
        if (index != FREE) {
          used[index] = true;
        }
      }
      for (int index = 0; index < used.length; index++) {
        if (used[index]) {
          renumbered.put(index, kept.size());
          kept.add(attributes.get(index));
        }
      }
      for (int ordinal = 0; ordinal < allocations.length; ordinal++) {
        if (allocations[ordinal] != FREE) {
          allocations[ordinal] = renumbered.getOrDefault(allocations[ordinal], FREE);
        }
      }
      attributes = kept;
    }

    Block build() {
      return new Block(
          cidr,
          affinity,
          allocations,
          unallocated,
          attributes,
          sequenceNumber,
          sequenceNumbers,
          deleted,
          unknown);
    }
  }
}
