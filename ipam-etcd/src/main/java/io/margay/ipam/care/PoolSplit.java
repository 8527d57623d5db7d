package io.margay.ipam.care;

import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.Block;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.IPPool;
import io.margay.model.resource.IPPoolSpec;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Metadata;
import java.math.BigInteger;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Replaces one IPPool by equal parts, in one transaction: there is no moment without a pool around
/// an address, and none with two. Blocks and addresses stay as they are.
public final class PoolSplit {

  /// Most parts: with the old pool they are one transaction.
  public static final int MAX_PARTS = 64;

  private static final int MAX_NAME = 253;

  /// How it ended.
  public sealed interface Result {

    /// @param old name of the pool that is gone
    /// @param parts what took its place, in address order
    record Done(String old, List<IPPool> parts) implements Result {
      public Done {
        parts = List.copyOf(parts);
      }
    }

    /// Nothing was changed.
    record Refused(String reason) implements Result {}
  }

  private PoolSplit() {}

  /// Splits the pool that `which` finds.
  ///
  /// @param parts a power of two from 2 to {@link #MAX_PARTS}
  /// @param what names the pool in messages
  public static Result run(
      Datastore datastore, InstantSource clock, Predicate<IPPool> which, String what, int parts)
      throws DatastoreException {
    if (parts < 2 || parts > MAX_PARTS || Integer.bitCount(parts) != 1) {
      return new Result.Refused(parts + " parts: must be a power of two, from 2 to " + MAX_PARTS);
    }
    IpamState state = IpamState.read(datastore);
    if (!state.isLocked()) {
      return new Result.Refused(
          "the datastore is not locked; run `margay datastore lock` first, so that no block is"
              + " claimed across the new border");
    }
    KeyValue stored = null;
    IPPool old = null;
    for (KeyValue item : datastore.list(ResourceKeys.prefix(Kind.IP_POOL)).items()) {
      if (ResourceJson.decode(item.key(), item.value(), item.modRevision()).orElseThrow()
              instanceof Decoded.Valid(IPPool pool)
          && which.test(pool)) {
        stored = item;
        old = pool;
      }
    }
    if (stored == null || old == null) {
      return new Result.Refused("there is no IPPool " + what + "; see margay get ippools");
    }
    return run(datastore, clock, state, stored, old, parts);
  }

  private static Result run(
      Datastore datastore,
      InstantSource clock,
      IpamState state,
      KeyValue stored,
      IPPool old,
      int parts)
      throws DatastoreException {
    IPPoolSpec spec = old.spec();
    int length = spec.cidr().length() + Integer.numberOfTrailingZeros(parts);
    if (length > spec.effectiveBlockSize()) {
      return new Result.Refused(
          old.ref()
              + " is "
              + spec.cidr()
              + " with blocks of /"
              + spec.effectiveBlockSize()
              + ": a part would be smaller than a block; at most "
              + (1 << Math.clamp(spec.effectiveBlockSize() - spec.cidr().length(), 0, 30))
              + " parts");
    }
    for (Stored<Block> block : state.blocks.values()) {
      if (spec.cidr().overlaps(block.value().cidr()) && block.value().cidr().length() < length) {
        return new Result.Refused("block " + block.value().cidr() + " would lie in several parts");
      }
    }
    List<IPPool> made = new ArrayList<>();
    Txn.Builder txn = Txn.builder().ifAtRevision(stored.key(), stored.modRevision());
    txn.delete(stored.key());
    int index = 0;
    for (Prefix cidr : parts(spec.cidr(), length, parts)) {
      IPPool part =
          new IPPool(metadata(old.metadata(), index, clock), with(spec, cidr, spec.isDisabled()));
      String key = ResourceKeys.key(part);
      txn.ifAbsent(key).put(key, ResourceJson.encode(part));
      made.add(part);
      index++;
    }
    return switch (datastore.commit(txn.build())) {
      case CommitResult.Committed _ -> new Result.Done(old.metadata().name(), made);
      case CommitResult.Conflict conflict -> {
        Optional<String> taken =
            made.stream()
                .map(ResourceKeys::key)
                .filter(key -> conflict.current().containsKey(key))
                .findFirst();
        yield new Result.Refused(
            taken
                .map(key -> key + " exists already; delete or rename it")
                .orElse(old.ref() + " was changed meanwhile; try again"));
      }
    };
  }

  /// The name calicoctl gives, all else but identity as it was.
  private static Metadata metadata(Metadata old, int index, InstantSource clock) {
    String tail = "-" + index;
    String name = "split-" + old.name();
    return Metadata.named(
            name.substring(0, Math.min(name.length(), MAX_NAME - tail.length())) + tail)
        .withLabels(old.labels())
        .withAnnotations(old.annotations())
        .withIdentity(
            UUID.randomUUID().toString(), clock.instant().truncatedTo(ChronoUnit.SECONDS));
  }

  static List<Prefix> parts(Prefix cidr, int length, int count) {
    List<Prefix> parts = new ArrayList<>();
    BigInteger first = new BigInteger(1, cidr.address().toBytes());
    BigInteger step = BigInteger.ONE.shiftLeft(cidr.family().bits() - length);
    int octets = cidr.family().bits() / 8;
    for (int i = 0; i < count; i++) {
      byte[] sum = first.add(step.multiply(BigInteger.valueOf(i))).toByteArray();
      byte[] address = new byte[octets];
      int taken = Math.min(sum.length, octets);
      System.arraycopy(sum, sum.length - taken, address, octets - taken, taken);
      parts.add(new Prefix(IpAddress.of(address), length));
    }
    return parts;
  }

  /// The same pool with another prefix, or disabled or not.
  static IPPoolSpec with(IPPoolSpec spec, @Nullable Prefix cidr, boolean disabled) {
    return new IPPoolSpec(
        cidr == null ? spec.cidr() : cidr,
        spec.ipipMode(),
        spec.vxlanMode(),
        spec.natOutgoing(),
        disabled ? Boolean.TRUE : null,
        spec.disableBGPExport(),
        spec.blockSize(),
        spec.nodeSelector(),
        spec.namespaceSelector(),
        spec.allowedUses(),
        spec.assignmentMode(),
        spec.unknown());
  }
}
