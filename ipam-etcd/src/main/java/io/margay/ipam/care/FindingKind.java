package io.margay.ipam.care;

/// What can be wrong with the address state, and why anybody should care.
public enum FindingKind {
  UNREADABLE("a document can't be read", "nothing is assigned from it or freed in it any more"),
  INCONSISTENT_BLOCK(
      "a block's free list contradicts what is held",
      "a held address may be given out again, or a free one never"),
  WRONG_LENGTH(
      "a block lists more or fewer addresses than it has", "no agent can read it, so it is lost"),
  MISSING_ATTRIBUTE(
      "an address is held, but not by whom", "no agent can read the block, so it is lost"),
  UNUSED_ATTRIBUTE("a block remembers holders that hold nothing", "it grows without end"),
  STRAY_SEQUENCE(
      "a block keeps sequence numbers of free addresses",
      "a late release might match an address given out since"),
  OVERLAPPING_BLOCKS(
      "two blocks share addresses", "two nodes announce them and give them out independently"),
  DUPLICATE_ALLOCATION(
      "an address is held in two blocks", "two pods have one address; traffic reaches one of them"),
  BLOCK_OUTSIDE_POOLS(
      "a block lies in no IPPool", "NAT and export rules of pools don't apply to its pods"),
  BLOCK_SIZE(
      "a block has another size than its pool's", "address arithmetic of the pool misses it"),
  BLOCK_WITHOUT_CLAIM(
      "a block names a node that has no claim to it", "no node announces it; its pods are cut off"),
  CLAIM_WITHOUT_BLOCK(
      "a claim to a block that does not exist", "it counts against the node's limit of blocks"),
  CLAIM_OF_OTHERS_BLOCK(
      "a claim to a block that is another's or nobody's",
      "when confirmed, its node announces addresses that live elsewhere"),
  CLAIM_UNFINISHED(
      "a claim stayed pending or pendingDeletion", "its block is not announced as one prefix"),
  NODE_MISSING("a claim of a node that does not exist", "its blocks can't be used by others"),
  HANDLE_MISSING("addresses are held under a handle that has no document", "DEL frees nothing"),
  HANDLE_UNUSED("a handle that holds nothing", "it stays for ever"),
  HANDLE_MISCOUNTS(
      "a handle counts other addresses than blocks give it", "DEL frees too few, or fails"),
  LEAKED_ADDRESS("an address is held, but nothing uses it", "the pool runs dry"),
  UNALLOCATED_ADDRESS(
      "an endpoint uses an address that IPAM has free", "it will be given to another pod as well"),
  DUPLICATE_ADDRESS(
      "several endpoints use one address", "traffic reaches one of them, policy takes it for both"),
  ENDPOINT_WITHOUT_NODE(
      "an endpoint of a node that does not exist",
      "policy admits its address, whoever has it by then"),
  RESTED_TOO_LONG(
      "a freed address still rests long after its cooldown", "it is missing from the pool"),
  RESERVED_IN_USE(
      "an address within an IPReservation is held",
      "harmless: it was asked for by name, or is older than the reservation");

  private final String meaning;
  private final String why;

  FindingKind(String meaning, String why) {
    this.meaning = meaning;
    this.why = why;
  }

  /// What such a finding says, in a few words.
  public String meaning() {
    return meaning;
  }

  /// What it leads to.
  public String why() {
    return why;
  }

  /// Whether it only deserves to be known: it contradicts nothing and fails no check.
  public boolean isNote() {
    return this == RESERVED_IN_USE;
  }
}
