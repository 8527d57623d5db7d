package io.margay.linux.nft;

import io.margay.model.net.IpFamily;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

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
    NEVER,
    /// Owned, and removed by the kernel with this or its process, however that ends, if the kernel
    /// has owned tables (5.12); open to others, and there until [#destroy], if not.
    WHILE_OPEN
  }

  private final NftKernel kernel;
  private final Ownership ownership;
  private final Map<IpFamily, FamilyTable> families = new EnumMap<>(IpFamily.class);
  private final List<Elements> early = new ArrayList<>();
  private Optional<NftTenure> tenure = Optional.empty();
  private boolean owner;
  private boolean adopted;
  private @Nullable NftWatch watch;
  private int readGeneration;
  private int expectedGeneration;

  /// Whether the kernel has held our tables since this was made.
  private boolean held;

  /// Whether others were heard to write our tables since they were last read.
  private boolean heard;

  private int repairs;
  private int gaps;
  private String by = "";

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

  /// The family's table as it should be, to look things up in. It follows the edits.
  public NftTableView view(IpFamily family) {
    return family(family);
  }

  private FamilyTable family(IpFamily family) {
    FamilyTable table = families.get(family);
    if (table == null) {
      throw new IllegalStateException("no table of family " + family);
    }
    return table;
  }

  /// Elements of one set.
  public record Elements(IpFamily family, String set, List<NftElement> elements) {}

  /// Adds elements that have been put, in a transaction of their own, before [#apply] writes the
  /// rules that ask for them.
  ///
  /// The kernel shows packets a transaction's new intervals last, after its rules: a rule that asks
  /// for them would find none in between, and let pass what it denies. Only for elements that no
  /// rule in the kernel asks for.
  ///
  /// Before the first apply, or where what the kernel holds is in doubt, they wait until it has
  /// been read. Those it refuses come with the rules.
  public void addAhead(Collection<Elements> wanted) {
    if (!adopted) {
      early.addAll(wanted);
      return;
    }
    List<Elements> missing = new ArrayList<>();
    List<NftOp> steps = new ArrayList<>();
    for (Elements one : wanted) {
      List<NftElement> elements = family(one.family()).missing(one.set(), one.elements());
      if (!elements.isEmpty()) {
        missing.add(new Elements(one.family(), one.set(), elements));
        steps.add(family(one.family()).addition(one.set(), elements));
      }
    }
    if (steps.isEmpty()) {
      return;
    }
    try {
      kernel.commit(steps);
    } catch (NftException refused) {
      adopted = false; // not as believed: the next apply reads first
      return;
    }
    missing.forEach(one -> family(one.family()).committed(one.set(), one.elements()));
    expectedGeneration++;
  }

  /// Makes the kernel hold what is desired.
  ///
  /// @throws NftException if the kernel refuses even the whole; it then holds what it held before
  public NftOutcome apply() throws NftException {
    if (!adopted) {
      return readAndWrite();
    }
    NftOutcome outcome = write();
    if (outcome instanceof NftOutcome.Rebuilt) {
      // What was believed in the kernel was not there: perhaps nothing of ours was.
      repairs++;
      gaps++;
    }
    return outcome;
  }

  /// Hears from now on what other writers commit, so that [#resync] need not read after those that
  /// left our tables alone.
  ///
  /// @param alarm run on another thread when a resync is due at once; hand over and return
  public void watch(Runnable alarm) throws NftException {
    Set<NftTableName> names = new HashSet<>();
    families.values().forEach(family -> names.add(family.name()));
    watch = kernel.watch(names, alarm);
  }

  /// Finds and repairs what others did to our tables. Cheap if nobody wrote them since our last
  /// write: one question to the kernel, if others did not write the namespace or a watch heard that
  /// they left us alone.
  public NftOutcome resync() throws NftException {
    listen();
    if (adopted && kernel.generation() == expectedGeneration) {
      return write();
    }
    return readAndWrite();
  }

  /// Whether the kernel holds our tables as they should be. Reads them if anybody may have written
  /// them, and writes nothing: what is wrong is repaired by the next [#apply] or [#resync].
  public boolean isAsDesired() throws NftException {
    listen();
    int generation = kernel.generation();
    if (adopted && generation == expectedGeneration) {
      return plan().isEmpty();
    }
    adopted = false;
    boolean edited = families.values().stream().anyMatch(FamilyTable::isDirty);
    NftTenure wanted = tenure();
    for (FamilyTable family : families.values()) {
      family.believe(kernel.dump(family.name()).orElse(null), wanted, owner);
    }
    if (!held || !plan().isEmpty()) {
      heard |= held && !edited; // a repair, when it comes
      return false;
    }
    families.values().forEach(FamilyTable::committed);
    adopted = true;
    readGeneration = generation;
    expectedGeneration = generation;
    heard = false;
    return true;
  }

  /// Each generation is somebody's transaction: ours, or one heard to be harmless. If all between
  /// what was read and now are accounted for, nobody wrote our tables.
  private void listen() {
    NftWatch hears = watch;
    if (hears == null) {
      return;
    }
    NftWatch.Report report = hears.take();
    if (report.suspicious()) {
      adopted = false;
      heard = true;
      by = report.by();
    }
    for (int generation : report.harmless()) {
      if (generation - readGeneration > 0) {
        expectedGeneration++;
      }
    }
  }

  private NftOutcome readAndWrite() throws NftException {
    adopted = false;
    NftTenure wanted = tenure();
    // What changes after this is found by the next resync, if not by the reading.
    int generation = kernel.generation();
    Map<IpFamily, Optional<NftDump>> dumps = new EnumMap<>(IpFamily.class);
    for (FamilyTable family : families.values()) {
      dumps.put(family.name().family(), kernel.dump(family.name()));
    }
    boolean edited = families.values().stream().anyMatch(FamilyTable::isDirty);
    dumps.forEach((family, dump) -> family(family).believe(dump.orElse(null), wanted, owner));
    adopted = true;
    readGeneration = generation;
    expectedGeneration = generation;
    int closed = held ? closeFirst() : 0;
    List<Elements> ahead = List.copyOf(early);
    early.clear();
    addAhead(ahead);
    NftOutcome outcome =
        switch (held ? write() : firstWrite()) {
          case NftOutcome.Unchanged _ when closed > 0 -> new NftOutcome.Written(closed);
          case NftOutcome.Written(int steps) -> new NftOutcome.Written(steps + closed);
          case NftOutcome other -> other;
        };
    if (held && (heard || !edited) && !(outcome instanceof NftOutcome.Unchanged)) {
      repairs++;
    }
    held = true;
    heard = false;
    return outcome;
  }

  /// A former process's rules are in the kernel. A packet that meets the transaction half way may
  /// walk them and find the sets as they are after it, so what they alone ask for goes in one after
  /// it.
  private NftOutcome firstWrite() throws NftException {
    Map<FamilyTable, Map<SetTracker, Map<NftData, Optional<NftElement>>>> aside = new HashMap<>();
    families.values().forEach(family -> aside.put(family, family.setAside()));
    NftOutcome outcome = write();
    if (outcome instanceof NftOutcome.Rebuilt) {
      // Nothing of the former process's is left.
      return outcome;
    }
    aside.forEach(FamilyTable::bringBack);
    return switch (outcome) {
      case NftOutcome.Rebuilt rebuilt -> rebuilt;
      case NftOutcome.Written(int steps) ->
          new NftOutcome.Written(
              steps + (write() instanceof NftOutcome.Written(int more) ? more : 0));
      case NftOutcome.Unchanged _ -> write();
    };
  }

  /// Where others removed a hook, or what it does, packets pass unfiltered until it is back. The
  /// filter hooks alone, on maps that lead nowhere yet, already drop what has no endpoint, and are
  /// in the kernel long before a thousand policies and connection tracking are.
  ///
  /// @return the steps written
  private int closeFirst() throws NftException {
    List<NftOp> steps = new ArrayList<>();
    for (FamilyTable family : families.values()) {
      steps.addAll(family.planHooks(tenure()));
    }
    if (steps.isEmpty()) {
      return 0;
    }
    gaps++;
    try {
      kernel.commit(steps);
    } catch (NftException refused) {
      // A hook that needs more than sets: the whole transaction brings it.
      return 0;
    }
    families.values().forEach(FamilyTable::hooksCommitted);
    owner = tenure() != NftTenure.OPEN;
    expectedGeneration++;
    return steps.size();
  }

  /// What the kernel holds in a set, be it a former process's, if a chain that looks into it has
  /// rules there: otherwise the sets need not be read. Asks the kernel, and writes and remembers
  /// nothing.
  ///
  /// @param user the chain
  public Collection<NftElement> inKernel(IpFamily family, String set, String user)
      throws NftException {
    NftTableName name = family(family).name();
    if (kernel.rules(name).stream().noneMatch(rule -> rule.chain().equals(user))) {
      return List.of();
    }
    return kernel
        .dump(name)
        .map(dump -> dump.sets().get(set))
        .map(found -> found.elements().values())
        .orElse(List.of());
  }

  /// What others did to our tables since this was made.
  ///
  /// @param repairs writes that found a change and undid it
  /// @param gaps those among them that brought back a hook, or all: until then packets could pass
  ///   which nothing allows, and their connections may still be there
  /// @param by the process that was last heard to write our tables; empty if none was
  public record Tampering(int repairs, int gaps, String by) {}

  public Tampering tampering() {
    return new Tampering(repairs, gaps, by);
  }

  private NftTenure tenure() throws NftException {
    if (tenure.isEmpty()) {
      tenure =
          Optional.of(
              switch (ownership) {
                case WHERE_PERSISTENT ->
                    kernel.features().persistentOwner() ? NftTenure.LASTING : NftTenure.OPEN;
                case NEVER -> NftTenure.OPEN;
                case WHILE_OPEN ->
                    kernel.features().passingOwner() ? NftTenure.PASSING : NftTenure.OPEN;
              });
    }
    return tenure.get();
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
    readGeneration = kernel.generation();
    expectedGeneration = readGeneration;
    adopted = true;
    return new NftOutcome.Rebuilt(steps.size(), cause);
  }

  private List<NftOp> plan() throws NftException {
    NftTenure wanted = tenure();
    List<NftOp> steps = new ArrayList<>();
    for (FamilyTable family : families.values()) {
      steps.addAll(family.plan(wanted));
    }
    return steps;
  }

  private void commit(List<NftOp> steps) throws NftException {
    kernel.commit(steps);
    families.values().forEach(FamilyTable::committed);
    owner = tenure() != NftTenure.OPEN;
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
        steps.add(new NftOp.AddTable(family.name(), NftTenure.OPEN));
        steps.add(new NftOp.DeleteTable(family.name()));
      }
    }
    adopted = false;
    held = false;
    kernel.commit(steps);
    owner = false;
  }

  /// Lets go of the tables, which stay and go on enforcing, but for those of
  /// [Ownership#WHILE_OPEN].
  @Override
  public void close() {
    if (watch != null) {
      watch.close();
    }
    kernel.close();
  }
}
