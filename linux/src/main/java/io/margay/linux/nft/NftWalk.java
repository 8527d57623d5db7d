package io.margay.linux.nft;

import io.margay.linux.nft.NftExpr.Base;
import io.margay.linux.nft.NftExpr.CtState;
import io.margay.linux.nft.NftExpr.DestinationType;
import io.margay.linux.nft.NftPassage.Effect;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Carries packets through a table as the kernel's nf_tables virtual machine would (`nft_do_chain`
/// of net/netfilter/nf_tables_core.c): the same rules, read by a second reader.
///
/// One packet stands for itself: a limit has room for it, and what it logs or counts is not kept.
/// Reads the view anew for each packet and belongs to the view's thread.
public final class NftWalk {

  /// NFT_JUMP_STACK_SIZE; the kernel refuses a table that could exceed it.
  private static final int MAX_DEPTH = 16;

  /// RTN_UNICAST of linux/rtnetlink.h.
  private static final int UNICAST = 1;

  private static final NftData NO_INTERFACE = NftData.of(new byte[NftData.INTERFACE_NAME_OCTETS]);

  private final NftTableView table;

  public NftWalk(NftTableView table) {
    this.table = table;
  }

  /// Through every base chain at a hook, until one drops. A `nat` chain sees only packets that
  /// begin a connection, and the chains after it see what it made of them.
  ///
  /// @return one passage for each chain met
  public List<NftPassage> hook(NftHook.Point hook, NftPacket packet) {
    List<NftPassage> passages = new ArrayList<>();
    NftPacket now = packet;
    for (NftChain chain : table.baseChains(hook)) {
      if (isNat(chain) && (packet.ctState() & CtState.NEW) == 0) {
        continue;
      }
      NftPassage passage = chain(chain.name(), now);
      passages.add(passage);
      if (!passage.isAccepted()) {
        return passages;
      }
      now = passage.packet();
    }
    return passages;
  }

  private static boolean isNat(NftChain chain) {
    return chain.hook() != null && chain.hook().type() == NftHook.Type.NAT;
  }

  /// Through one chain and those it jumps to, as if a hook had led there.
  ///
  /// @throws IllegalArgumentException if the packet is of another family
  /// @throws IllegalStateException if a chain or set that is referred to is not in the table, or
  ///   jumps go deeper than the kernel lets them; it would have refused such a table
  public NftPassage chain(String name, NftPacket packet) {
    if (packet.family() != table.family()) {
      throw new IllegalArgumentException(packet + " in a table of " + table.family());
    }
    Traveller traveller = new Traveller(packet);
    Outcome outcome = traveller.in(name, 1);
    return new NftPassage(name, outcome != Outcome.DROPPED, traveller.steps, traveller.packet);
  }

  /// What a chain came to.
  private enum Outcome {
    ACCEPTED,
    DROPPED,
    /// Its end, or `return`.
    BACK
  }

  /// One packet on its way.
  private final class Traveller {
    private final NftRegisters registers = new NftRegisters();
    private final List<NftPassage.Step> steps = new ArrayList<>();
    private NftPacket packet;
    private byte[] network;
    private byte[] transport;

    Traveller(NftPacket packet) {
      this.packet = packet;
      this.network = packet.networkHeader();
      this.transport = packet.transportHeader();
    }

    Outcome in(String name, int depth) {
      NftChain chain = table.chain(name);
      if (chain == null || depth > MAX_DEPTH) {
        throw new IllegalStateException(
            chain == null
                ? "there is no chain " + name
                : "jumps to chain " + name + " are more than " + MAX_DEPTH + " deep");
      }
      for (NftRule rule : chain.rules()) {
        Effect effect = carryOut(rule);
        if (effect == null) {
          continue;
        }
        steps.add(new NftPassage.Step(name, rule, effect));
        switch (effect) {
          case NftPassage.WentOn _ -> {}
          case NftPassage.Masqueraded _, NftPassage.Redirected _ -> {
            return Outcome.ACCEPTED;
          }
          case NftPassage.Judged(NftVerdict verdict) -> {
            Outcome outcome = judge(verdict, depth);
            if (outcome != null) {
              return outcome;
            }
          }
        }
      }
      return Outcome.BACK;
    }

    /// @return null = on with the next rule
    private @Nullable Outcome judge(NftVerdict verdict, int depth) {
      return switch (verdict) {
        case NftVerdict.Accept() -> Outcome.ACCEPTED;
        case NftVerdict.Drop() -> Outcome.DROPPED;
        case NftVerdict.Return() -> Outcome.BACK;
        case NftVerdict.Jump(String target) -> {
          Outcome outcome = in(target, depth + 1);
          yield outcome == Outcome.BACK ? null : outcome;
        }
      };
    }

    /// @return null = the rule did not match
    private @Nullable Effect carryOut(NftRule rule) {
      for (NftExpr expression : rule.expressions()) {
        Result result = carryOut(expression);
        switch (result) {
          case Goes _ -> {}
          case Breaks _ -> {
            return null;
          }
          case Ends(Effect effect) -> {
            return effect;
          }
        }
      }
      return new NftPassage.WentOn();
    }

    private Result carryOut(NftExpr expression) {
      return switch (expression) {
        case NftExpr.Payload(Base base, int offset, int length, int register) ->
            payload(base == Base.NETWORK ? network : transport, offset, length, register);
        case NftExpr.Meta(NftExpr.MetaKey key, int register) ->
            load(
                register,
                switch (key) {
                  case IIFNAME -> name(packet.incoming());
                  case OIFNAME -> name(packet.outgoing());
                  case L4PROTO -> NftData.octet(packet.protocol());
                });
        case NftExpr.CtState(int register) -> load(register, NftData.hostOrder(packet.ctState()));
        case NftExpr.CtStatus(int register) ->
            packet.isTracked()
                ? load(
                    register,
                    NftData.hostOrder(packet.isRedirected() ? NftExpr.CtStatus.DESTINATION_NAT : 0))
                : BREAKS;
        case NftExpr.CtOriginal(NftExpr.CtEnd end, IpFamily _, int register) ->
            packet.isTracked() ? load(register, original(end)) : BREAKS;
        case NftExpr.SourceType(int register) ->
            load(
                register,
                NftData.hostOrder(packet.incoming() == null ? DestinationType.LOCAL : UNICAST));
        case NftExpr.Notrack() -> {
          packet = packet.withCtState(CtState.UNTRACKED);
          yield GOES;
        }
        case NftExpr.Mask(int register, NftData mask) -> {
          registers.mask(register, mask);
          yield GOES;
        }
        case NftExpr.Compare(int register, NftExpr.Comparison comparison, NftData data) ->
            when(
                switch (comparison) {
                  case EQUAL -> registers.compare(register, data) == 0;
                  case NOT_EQUAL -> registers.compare(register, data) != 0;
                });
        case NftExpr.Range(int register, boolean inverted, NftData from, NftData to) ->
            when(
                inverted
                    != (registers.compare(register, from) >= 0
                        && registers.compare(register, to) <= 0));
        case NftExpr.Lookup(String set, int register, boolean inverted) ->
            when(inverted != (find(set, register) != null));
        case NftExpr.VerdictMap(String map, int register) -> {
          NftElement found = find(map, register);
          yield found == null || found.verdict() == null
              ? BREAKS
              : new Ends(new NftPassage.Judged(found.verdict()));
        }
        case NftExpr.DataMap(String map, int register, int into) -> {
          NftElement found = find(map, register);
          yield found == null || found.value() == null ? BREAKS : load(into, found.value());
        }
        case NftExpr.DestinationType(int register) ->
            load(register, NftData.hostOrder(packet.isForNode() ? DestinationType.LOCAL : UNICAST));
        case NftExpr.Load(int register, NftData data) -> load(register, data);
        case NftExpr.Judge(NftVerdict verdict) -> new Ends(new NftPassage.Judged(verdict));
        case NftExpr.Counter _,
            NftExpr.Limit _,
            NftExpr.Log _,
            NftExpr.LogGroup _,
            NftExpr.Trace _ ->
            GOES;
        case NftExpr.Masquerade _, NftExpr.SourceNat _ -> new Ends(new NftPassage.Masqueraded());
        case NftExpr.DestinationNat(IpFamily family, int address, int port) ->
            redirect(
                IpAddress.of(registers.read(address, family.octets()).raw()),
                ByteBuffer.wrap(registers.read(port, 2).raw()).getShort() & 0xffff);
      };
    }

    private NftData original(NftExpr.CtEnd end) {
      NftPacket.Ends ends = packet.connection();
      return switch (end) {
        case SOURCE_ADDRESS -> NftData.address(ends.source());
        case DESTINATION_ADDRESS -> NftData.address(ends.destination());
        case SOURCE_PORT -> NftData.port(ends.sourcePort());
        case DESTINATION_PORT -> NftData.port(ends.destinationPort());
      };
    }

    /// Reading past what is there ends the rule.
    private Result payload(byte[] header, int offset, int length, int register) {
      if (offset + length > header.length) {
        return BREAKS;
      }
      registers.load(register, header, offset, length);
      return GOES;
    }

    private Result load(int register, NftData data) {
      registers.load(register, data);
      return GOES;
    }

    private @Nullable NftElement find(String name, int register) {
      NftSet set = table.set(name);
      if (set == null) {
        throw new IllegalStateException("there is no set " + name);
      }
      return table.find(name, registers.read(register, set.keyOctets()));
    }

    private Result redirect(IpAddress address, int port) {
      packet = packet.withDestination(address, port);
      network = packet.networkHeader();
      transport = packet.transportHeader();
      return new Ends(new NftPassage.Redirected());
    }
  }

  private static NftData name(@Nullable InterfaceName name) {
    return name == null ? NO_INTERFACE : NftData.interfaceName(name);
  }

  private static Result when(boolean holds) {
    return holds ? GOES : BREAKS;
  }

  private static final Result GOES = new Goes();
  private static final Result BREAKS = new Breaks();

  /// What an instruction does to its rule.
  private sealed interface Result {}

  /// On to the next.
  private record Goes() implements Result {}

  /// The rule does not match.
  private record Breaks() implements Result {}

  /// The rule is done.
  private record Ends(Effect effect) implements Result {}
}
