package io.margay.linux.nft;

import io.margay.linux.Errno;
import io.margay.linux.LinuxException;
import io.margay.linux.netns.Netns;
import io.margay.model.net.IpFamily;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The nf_tables of the network namespace in which [#open] ran, over one netlink socket.
///
/// The socket stays bound to that namespace whichever thread uses it. Table ownership hangs on the
/// socket: it ends when this is closed or the process dies.
public final class KernelNftables implements NftKernel {

  /// Times a dump is begun anew because the tables changed under it.
  private static final int MAX_DUMP_ATTEMPTS = 5;

  /// Fewer come in one datagram, which is one walk.
  private static final int MIN_ELEMENTS_READ_TWICE = 64;

  private static final int NLM_F_DUMP = 0x300;

  /// NFTA_RULE_EXPRESSIONS.
  private static final int RULE_EXPRESSIONS = 4;

  private static final String PROBE_TABLE = "margay-probe";

  private final NftSocket socket;
  private final NftFeatures allowed;

  /// Where [#watch] listens.
  private final Netns namespace;

  private KernelNftables(NftSocket socket, NftFeatures allowed, Netns namespace) {
    this.socket = socket;
    this.allowed = allowed;
    this.namespace = namespace;
  }

  /// Opens the namespace the calling thread is in.
  public static KernelNftables open() throws NftException {
    try {
      return openHere(NftFeatures.allowed());
    } catch (LinuxException failed) {
      throw unopened("cannot open the nf_tables socket", failed);
    }
  }

  /// Opens the namespace behind a descriptor.
  public static KernelNftables openIn(int netnsFd) throws NftException {
    return openIn(netnsFd, NftFeatures.allowed());
  }

  /// @param allowed nothing else is used, whatever the kernel has
  public static KernelNftables openIn(int netnsFd, NftFeatures allowed) throws NftException {
    try {
      return Netns.callIn(netnsFd, () -> openHere(allowed));
    } catch (LinuxException failed) {
      throw unopened("cannot open the nf_tables socket", failed);
    }
  }

  private static KernelNftables openHere(NftFeatures allowed) throws LinuxException {
    Netns namespace = Netns.ofThread();
    try {
      return new KernelNftables(NftSocket.open(), allowed, namespace);
    } catch (LinuxException failed) {
      namespace.close();
      throw failed;
    }
  }

  private static NftException unopened(String what, LinuxException failed) {
    return new NftException(
        what + ": " + failed.getMessage() + "; needs CAP_NET_ADMIN and a kernel with nf_tables",
        failed.errno().code(),
        failed);
  }

  @Override
  public void commit(List<NftOp> steps) throws NftException {
    if (steps.isEmpty()) {
      return;
    }
    NftBatch batch = socket.batch(steps);
    List<NftSocket.Failure> failures = socket.exchange(steps, batch);
    if (failures.isEmpty()) {
      return;
    }
    NftSocket.Failure first = failures.getFirst();
    String what = batch.subject(steps, first.sequence(), first.offset());
    throw new NftException(
        what
            + " was refused: "
            + new Errno(first.errno())
            + (first.words().isEmpty() ? "" : " (" + first.words() + ")")
            + hint(first.errno())
            + "; nothing of the transaction took effect",
        first.errno());
  }

  private static String hint(int errno) {
    return errno == NftException.EPERM
        ? ", another process owns the table or CAP_NET_ADMIN is missing"
        : "";
  }

  @Override
  public int generation() throws NftException {
    int[] generation = new int[1];
    AttributeWriter out = new AttributeWriter();
    int start = socket.begin(out, NftBatch.GET_GENERATION, NftBatch.REQUEST | NftBatch.ACK, 0);
    out.endMessage(start);
    socket.ask(
        out,
        "generation of nf_tables",
        (type, _, attributes) -> {
          while (type == NftBatch.NEW_GENERATION && attributes.next()) {
            if (attributes.type() == 1) {
              generation[0] = attributes.be32();
            }
          }
        });
    return generation[0];
  }

  @Override
  public Optional<NftDump> dump(NftTableName table) throws NftException {
    List<Optional<NftDump>> torn = List.of();
    for (int attempt = 0; attempt < MAX_DUMP_ATTEMPTS; attempt++) {
      int before = generation();
      DumpDecoder decoder = new DumpDecoder();
      boolean whole = read(table, decoder);
      Optional<NftDump> dump = decoder.isFound() ? Optional.of(decoder.toDump()) : Optional.empty();
      // Any writer of the namespace makes a reading look torn. One torn the same way twice is not.
      if (whole && generation() == before || torn.contains(dump)) {
        return dump;
      }
      torn = decoder.isGone() ? List.of() : List.of(dump);
    }
    throw new NftException(
        "table "
            + table
            + " changed during each of "
            + MAX_DUMP_ATTEMPTS
            + " readings; it is read again at the next attempt",
        NftException.EINTR);
  }

  /// @return false if the kernel says the answer is torn
  private boolean read(NftTableName table, DumpDecoder decoder) throws NftException {
    AttributeWriter get = new AttributeWriter();
    int start =
        socket.begin(
            get,
            NftBatch.GET_TABLE,
            NftBatch.REQUEST | NftBatch.ACK,
            NftBatch.familyCode(table.family()));
    get.text(1, table.name());
    get.endMessage(start);
    try {
      socket.ask(get, "table " + table, message(NftBatch.NEW_TABLE, decoder::table));
    } catch (NftException refused) {
      if (refused.errno() == NftException.ENOENT) {
        return true;
      }
      throw refused;
    }
    boolean whole =
        dump(
            NftBatch.GET_CHAIN,
            table,
            null,
            decoder,
            message(NftBatch.NEW_CHAIN, in -> decoder.chain(in, table.name())));
    whole &=
        dump(
            NftBatch.GET_RULE,
            table,
            null,
            decoder,
            message(NftBatch.NEW_RULE, in -> decoder.rule(in, table.name())));
    whole &= dump(NftBatch.GET_SET, table, null, decoder, message(NftBatch.NEW_SET, decoder::set));
    whole &=
        dump(
            NftBatch.GET_OBJECT,
            table,
            null,
            decoder,
            message(NftBatch.NEW_OBJECT, in -> decoder.object(in, table.name())));
    for (NftSet set : List.copyOf(decoder.sets())) {
      whole &= readElements(table, set, decoder);
    }
    return whole;
  }

  /// The kernel walks a hash set anew for each datagram of a dump and counts off those already
  /// sent, so a table that is just being resized, as after a large load, shows some elements twice
  /// and others never, without a word. Two equal readings in a row are believed.
  private boolean readElements(NftTableName table, NftSet set, DumpDecoder decoder)
      throws NftException {
    @Nullable Map<NftData, NftElement> before = null;
    for (int reading = 0; reading < MAX_DUMP_ATTEMPTS; reading++) {
      Map<NftData, NftElement> elements = new HashMap<>();
      boolean whole =
          dump(
              NftBatch.GET_SET_ELEMENT,
              table,
              set,
              decoder,
              message(NftBatch.NEW_SET_ELEMENT, in -> DumpDecoder.elements(in, elements)));
      decoder.elements(set, elements);
      if (whole && elements.size() < MIN_ELEMENTS_READ_TWICE || elements.equals(before)) {
        return true;
      }
      if (decoder.isGone()) {
        return false;
      }
      before = elements;
    }
    return false;
  }

  @Override
  public List<NftRuleInfo> rules(NftTableName table) throws NftException {
    for (int attempt = 0; attempt < MAX_DUMP_ATTEMPTS; attempt++) {
      List<NftRuleInfo> rules = new ArrayList<>();
      boolean whole =
          dump(
              NftBatch.GET_RULE,
              table,
              null,
              new DumpDecoder(),
              message(
                  NftBatch.NEW_RULE,
                  in -> {
                    NftRuleInfo rule = NftRuleInfo.read(in, table.name());
                    if (rule != null) {
                      rules.add(rule);
                    }
                  }));
      if (whole || rules.isEmpty()) {
        return rules;
      }
    }
    throw new NftException(
        "the rules of table "
            + table
            + " changed during each of "
            + MAX_DUMP_ATTEMPTS
            + " readings; ask again",
        NftException.EINTR);
  }

  /// As [#rules], with what each looks like.
  public List<NftPrintedRule> printedRules(NftTableName table) throws NftException {
    DumpDecoder decoder = new DumpDecoder();
    dump(NftBatch.GET_SET, table, null, decoder, message(NftBatch.NEW_SET, decoder::set));
    Map<String, NftSet> sets = new HashMap<>();
    decoder.sets().forEach(set -> sets.put(set.name(), set));
    Map<Long, NftPrintedRule> looks = new LinkedHashMap<>();
    dump(
        NftBatch.GET_RULE,
        table,
        null,
        decoder,
        message(
            NftBatch.NEW_RULE,
            in -> {
              AttributeReader again = in.here();
              NftRuleInfo rule = NftRuleInfo.read(in, table.name());
              if (rule != null) {
                looks.put(rule.handle(), printed(rule, again, table.family(), sets));
              }
            }));
    return List.copyOf(looks.values());
  }

  private static NftPrintedRule printed(
      NftRuleInfo rule, AttributeReader in, IpFamily family, Map<String, NftSet> sets) {
    while (in.next()) {
      if (in.type() == RULE_EXPRESSIONS) {
        List<NftExpr> expressions = ExprDecoder.decode(in.nested(), family);
        if (expressions != null) {
          List<String> jumps = new ArrayList<>();
          for (NftExpr expression : expressions) {
            if (expression instanceof NftExpr.Judge(NftVerdict.Jump(String chain))) {
              jumps.add(chain);
            }
          }
          return new NftPrintedRule(rule, NftText.print(expressions, sets), jumps);
        }
      }
    }
    return new NftPrintedRule(rule, NftPrintedRule.UNKNOWN, List.of());
  }

  /// The base chains of all tables, anybody's: where packets may end that we let pass.
  public List<NftHookedChain> hookedChains() throws NftException {
    HookedChainsReader reader = new HookedChainsReader();
    readAll(NftBatch.GET_CHAIN, "chains", NftBatch.NEW_CHAIN, reader::chain);
    readAll(NftBatch.GET_RULE, "rules", NftBatch.NEW_RULE, reader::rule);
    return reader.chains();
  }

  private interface OfFamily {
    void take(int family, AttributeReader attributes);
  }

  private void readAll(int question, String what, int answer, OfFamily taker) throws NftException {
    AttributeWriter out = new AttributeWriter();
    int start = socket.begin(out, question, NftBatch.REQUEST | NLM_F_DUMP, 0);
    out.endMessage(start);
    socket.ask(
        out,
        what + " of all tables",
        (type, family, attributes) -> {
          if (type == answer) {
            taker.take(family, attributes);
          }
        });
  }

  private static NftSocket.Sink message(int wanted, Consumer<AttributeReader> taker) {
    return (type, _, attributes) -> {
      if (type == wanted) {
        taker.accept(attributes);
      }
    };
  }

  private boolean dump(
      int message,
      NftTableName table,
      @Nullable NftSet set,
      DumpDecoder decoder,
      NftSocket.Sink sink)
      throws NftException {
    AttributeWriter out = new AttributeWriter();
    int start =
        socket.begin(
            out, message, NftBatch.REQUEST | NLM_F_DUMP, NftBatch.familyCode(table.family()));
    if (message != NftBatch.GET_CHAIN) {
      out.text(1, table.name());
    }
    if (set != null) {
      out.text(2, set.name());
    }
    out.endMessage(start);
    try {
      return socket.ask(out, "contents of table " + table, sink);
    } catch (NftException refused) {
      if (refused.errno() == NftException.ENOENT) {
        decoder.markGone();
        return false;
      }
      throw refused;
    }
  }

  @Override
  public NftFeatures features() throws NftException {
    boolean persistent = allowed.persistentOwner() && has(NftTenure.LASTING);
    return new NftFeatures(
        persistent, allowed.passingOwner() && (persistent || has(NftTenure.PASSING)));
  }

  private boolean has(NftTenure tenure) throws NftException {
    NftTableName probe = new NftTableName(IpFamily.IPV4, PROBE_TABLE);
    try {
      // Created and deleted in one transaction: nobody ever sees it.
      commit(List.of(new NftOp.AddTable(probe, tenure), new NftOp.DeleteTable(probe)));
      return true;
    } catch (NftException refused) {
      if (refused.errno() == Errno.EOPNOTSUPP.code() || refused.errno() == NftException.EINVAL) {
        return false;
      }
      throw refused;
    }
  }

  @Override
  public NftWatch watch(Set<NftTableName> tables, Runnable alarm) throws NftException {
    try {
      int port = socket.port();
      return namespace.callIn(() -> KernelNftWatch.open(port, tables, alarm));
    } catch (LinuxException failed) {
      throw unopened("cannot hear the writers of " + tables, failed);
    }
  }

  @Override
  public void close() {
    socket.close();
    namespace.close();
  }
}
