package io.margay.linux.nft;

import io.margay.model.net.IpFamily;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Our two tables, `ip NAME` and `ip6 NAME`: told what they should hold, it makes the kernel hold
/// it.
///
/// Edits ([#putChain], [#putElement], …) only change the desired state; [#apply] writes the
/// difference to what the kernel is believed to hold, for both families in one transaction. The
/// first apply of a process reads the kernel and takes over what is there: it writes nothing if
/// nothing differs. Other tables are never read nor written.
///
/// A refused difference means the belief was wrong: both tables are then replaced as a whole, in
/// one transaction without a gap, once; if that is refused too the caller gets the error, and the
/// next apply starts from the kernel again.
///
/// Belongs to one thread, the dataplane loop.
public final class NftTable implements AutoCloseable {

  /// Whether our tables may be closed to other writers.
  public enum Ownership {
    /// Owned, if the kernel lets owned tables outlive their owner (6.9); open to others if not.
    WHERE_PERSISTENT,
    /// Open to other writers on every kernel.
    NEVER
  }

  /// Readings of the tables while others keep writing the namespace, before the caller is told.
  static final int MAX_READINGS = 5;

  private final NftKernel kernel;
  private final Ownership ownership;
  private final Map<IpFamily, FamilyTable> families = new EnumMap<>(IpFamily.class);
  private Optional<Boolean> own = Optional.empty();
  private boolean owner;
  private boolean adopted;
  private int expectedGeneration;

  /// @param name of both tables
  public NftTable(NftKernel kernel, String name, Ownership ownership) {
    this.kernel = kernel;
    this.ownership = ownership;
    for (IpFamily family : IpFamily.values()) {
      families.put(family, new FamilyTable(new NftTableName(family, name)));
    }
  }

  /// Makes a set part of the table, empty at first. Sets once declared stay.
  public void declareSet(IpFamily family, NftSet set) {
    family(family).declareSet(set);
    adopted = false;
  }

  /// The chain should exist with exactly these rules.
  public void putChain(IpFamily family, NftChain chain) {
    family(family).putChain(chain);
  }

  public void removeChain(IpFamily family, String chain) {
    family(family).removeChain(chain);
  }

  /// The set should hold the element; another under the same key goes.
  ///
  /// @throws IllegalArgumentException if the set is not declared or the element does not fit it
  public void putElement(IpFamily family, String set, NftElement element) {
    family(family).putElement(set, element);
  }

  public void removeElement(IpFamily family, String set, NftData key) {
    family(family).removeElement(set, key);
  }

  /// What the family's table should hold.
  public NftTableState desired(IpFamily family) {
    return family(family).snapshot();
  }

  private FamilyTable family(IpFamily family) {
    FamilyTable table = families.get(family);
    if (table == null) {
      throw new IllegalStateException("no table of family " + family);
    }
    return table;
  }

  /// Makes the kernel hold what is desired.
  ///
  /// @throws NftException if the kernel refuses even the whole; it then holds what it held before
  public NftOutcome apply() throws NftException {
    return adopted ? write() : readAndWrite();
  }

  /// Finds and repairs what others did to our tables. Cheap if nobody wrote the namespace since our
  /// last write.
  public NftOutcome resync() throws NftException {
    if (!adopted || kernel.generation() != expectedGeneration) {
      return readAndWrite();
    }
    return write();
  }

  private NftOutcome readAndWrite() throws NftException {
    adopted = false;
    boolean owned = own();
    for (int reading = 0; reading < MAX_READINGS; reading++) {
      int generation = kernel.generation();
      Map<IpFamily, Optional<NftDump>> dumps = new EnumMap<>(IpFamily.class);
      for (FamilyTable family : families.values()) {
        dumps.put(family.name().family(), kernel.dump(family.name()));
      }
      if (kernel.generation() == generation) {
        dumps.forEach((family, dump) -> family(family).believe(dump.orElse(null), owned, owner));
        adopted = true;
        expectedGeneration = generation;
        return write();
      }
    }
    throw new NftException(
        "tables "
            + families.values().stream().map(FamilyTable::name).toList()
            + " could not be read: others changed nf_tables during each of "
            + MAX_READINGS
            + " readings; nothing was written, the next apply reads again",
        NftException.EINTR);
  }

  private boolean own() throws NftException {
    if (own.isEmpty()) {
      own =
          Optional.of(
              switch (ownership) {
                case WHERE_PERSISTENT -> kernel.supportsPersistentOwner();
                case NEVER -> false;
              });
    }
    return own.get();
  }

  private NftOutcome write() throws NftException {
    List<NftOp> steps = plan();
    if (steps.isEmpty()) {
      families.values().forEach(FamilyTable::committed);
      return new NftOutcome.Unchanged();
    }
    try {
      commit(steps);
      return new NftOutcome.Written(steps.size());
    } catch (NftException refused) {
      adopted = false;
      if (refused.errno() == NftException.EPERM) {
        throw refused;
      }
      return rebuild(refused);
    }
  }

  private NftOutcome rebuild(NftException cause) throws NftException {
    families.values().forEach(family -> family.believeNothing(FamilyTable.Standing.TO_REPLACE));
    List<NftOp> steps = plan();
    try {
      commit(steps);
    } catch (NftException refused) {
      refused.addSuppressed(cause);
      throw refused;
    }
    expectedGeneration = kernel.generation();
    adopted = true;
    return new NftOutcome.Rebuilt(steps.size(), cause);
  }

  private List<NftOp> plan() throws NftException {
    boolean owned = own();
    List<NftOp> steps = new ArrayList<>();
    for (FamilyTable family : families.values()) {
      steps.addAll(family.plan(owned));
    }
    return steps;
  }

  private void commit(List<NftOp> steps) throws NftException {
    kernel.commit(steps);
    families.values().forEach(FamilyTable::committed);
    owner = own();
    // Unless somebody else wrote too, this is the generation now; if it is not, the next resync
    // reads.
    expectedGeneration++;
  }

  /// Removes both tables, whoever of us made them, and forgets what the kernel holds. The desired
  /// state stays: an apply would bring them back.
  ///
  /// @throws NftException with EPERM while another living process owns them
  public void destroy() throws NftException {
    List<NftOp> steps = new ArrayList<>();
    for (FamilyTable family : families.values()) {
      if (kernel.dump(family.name()).isPresent()) {
        // Touching it first fails while another process owns it, with nothing half done.
        steps.add(new NftOp.AddTable(family.name(), false));
        steps.add(new NftOp.DeleteTable(family.name()));
      }
    }
    adopted = false;
    kernel.commit(steps);
    owner = false;
  }

  /// Lets go of the tables, which stay and go on enforcing.
  @Override
  public void close() {
    kernel.close();
  }
}
