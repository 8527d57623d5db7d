package io.margay.linux.nft;

import io.margay.model.net.IpFamily;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A transaction as netlink octets: BATCH_BEGIN, messages, BATCH_END (linux/nfnetlink.h), with an
/// acknowledgement asked of the last real message only: one per message would overflow the receive
/// buffer, and errors come unasked.
final class NftBatch {

  private static final int NFNL_BATCH_BEGIN = 16;
  private static final int NFNL_BATCH_END = 17;

  /// NFNL_SUBSYS_NFTABLES, in the high octet of a message type and as a batch's resource.
  static final int SUBSYSTEM = 10;

  static final int NEW_TABLE = 0;
  static final int GET_TABLE = 1;
  private static final int DEL_TABLE = 2;
  static final int NEW_CHAIN = 3;
  static final int GET_CHAIN = 4;
  private static final int DEL_CHAIN = 5;
  static final int NEW_RULE = 6;
  static final int GET_RULE = 7;
  private static final int DEL_RULE = 8;
  static final int NEW_SET = 9;
  static final int GET_SET = 10;
  private static final int DEL_SET = 11;
  static final int NEW_SET_ELEMENT = 12;
  static final int GET_SET_ELEMENT = 13;
  private static final int DEL_SET_ELEMENT = 14;

  static final int NEW_GENERATION = 15;
  static final int GET_GENERATION = 16;

  static final int NEW_OBJECT = 18;
  static final int GET_OBJECT = 19;
  private static final int DEL_OBJECT = 20;

  static final int REQUEST = 1;
  static final int ACK = 4;
  private static final int CREATE = 0x400;
  private static final int EXCLUSIVE = 0x200;
  private static final int APPEND = 0x800;

  static final int TABLE_DORMANT = 1;
  static final int TABLE_OWNER = 2;
  static final int TABLE_PERSIST = 4;

  static final int SET_ANONYMOUS = 1;
  static final int SET_INTERVAL = 4;
  static final int SET_MAP = 8;
  static final int SET_CONCAT = 0x80;
  static final int VERDICT_TYPE = 0xffffff00;
  private static final int VERDICT_OCTETS = 16;

  /// Below the 65,535 octets a netlink attribute can have, with room for one more element.
  private static final int MAX_ELEMENTS_OCTETS = 60_000;

  private final AttributeWriter out = new AttributeWriter();
  private final int firstSequence;
  private int nextSequence;
  private int nextSetId = 1;
  private int lastMessage;

  /// A message that carries a step, or part of one.
  ///
  /// @param firstElement which of the step's elements it begins with
  /// @param start its place in the octets
  private record Slot(int step, int firstElement, int start) {}

  /// By sequence number, from `firstSequence` + 1.
  private final List<Slot> slots = new ArrayList<>();

  private NftBatch(int firstSequence) {
    this.firstSequence = firstSequence;
    this.nextSequence = firstSequence;
  }

  static NftBatch of(List<NftOp> steps, int firstSequence) {
    NftBatch batch = new NftBatch(firstSequence);
    int begin =
        batch.out.beginMessage(NFNL_BATCH_BEGIN, REQUEST, batch.nextSequence++, 0, SUBSYSTEM);
    batch.out.endMessage(begin);
    for (int i = 0; i < steps.size(); i++) {
      batch.step(i, steps.get(i));
    }
    batch.out.addFlags(batch.lastMessage, ACK);
    int end = batch.out.beginMessage(NFNL_BATCH_END, REQUEST, batch.nextSequence++, 0, SUBSYSTEM);
    batch.out.endMessage(end);
    return batch;
  }

  byte[] toBytes() {
    return out.toBytes();
  }

  int firstSequence() {
    return firstSequence;
  }

  /// The sequence number of the message that is acknowledged.
  int lastSequence() {
    return nextSequence - 2;
  }

  /// The sequence number after the batch.
  int endSequence() {
    return nextSequence;
  }

  /// What a refused message is about, as exactly as the kernel tells.
  ///
  /// @param offset of the attribute at fault from the message's beginning, 0 if it is not known
  String subject(List<NftOp> steps, int sequence, int offset) {
    int index = sequence - firstSequence - 1;
    if (index < 0 || index >= slots.size()) {
      return "transaction of " + steps.size() + " steps";
    }
    Slot slot = slots.get(index);
    NftOp step = steps.get(slot.step);
    return step.subject()
        + (offset == 0
            ? ""
            : NftCulprit.name(step, slot.firstElement, out.buffer(), slot.start, offset));
  }

  private void step(int index, NftOp step) {
    switch (step) {
      case NftOp.AddTable(NftTableName table, NftTenure tenure) -> {
        int start = begin(index, NEW_TABLE, CREATE, table);
        switch (tenure) {
          case OPEN -> {}
          case LASTING -> out.be32(2, TABLE_OWNER | TABLE_PERSIST);
          case PASSING -> out.be32(2, TABLE_OWNER);
        }
        out.endMessage(start);
      }
      case NftOp.DeleteTable(NftTableName table) ->
          out.endMessage(begin(index, DEL_TABLE, 0, table));
      case NftOp.AddChain(NftTableName table, String chain, @Nullable NftHook hook) ->
          addChain(index, table, chain, hook);
      case NftOp.FlushChain(NftTableName table, String chain) -> {
        int start = begin(index, DEL_RULE, 0, table);
        out.text(2, chain);
        out.endMessage(start);
      }
      case NftOp.DeleteChain(NftTableName table, String chain) -> {
        int start = begin(index, DEL_CHAIN, 0, table);
        out.text(3, chain);
        out.endMessage(start);
      }
      case NftOp.AddRule(NftTableName table, String chain, NftRule rule, NftData tag) -> {
        int start = begin(index, NEW_RULE, CREATE | APPEND, table);
        out.text(2, chain);
        int list = out.beginNest(4);
        out.raw(ExprCodec.encode(rule.expressions()));
        out.endNest(list);
        out.attribute(7, tag);
        out.endMessage(start);
      }
      case NftOp.AddSet(NftTableName table, NftSet set) -> addSet(index, table, set);
      case NftOp.DeleteSet(NftTableName table, String set) -> {
        int start = begin(index, DEL_SET, 0, table);
        out.text(2, set);
        out.endMessage(start);
      }
      case NftOp.DeleteObject(NftTableName table, NftObject object) -> {
        int start = begin(index, DEL_OBJECT, 0, table);
        out.text(2, object.name());
        out.be32(3, object.type());
        out.endMessage(start);
      }
      case NftOp.AddElements(NftTableName table, NftSet set, List<NftElement> elements) ->
          elements(index, NEW_SET_ELEMENT, CREATE, table, set, elements);
      case NftOp.DeleteElements(NftTableName table, NftSet set, List<NftElement> elements) ->
          elements(index, DEL_SET_ELEMENT, 0, table, set, elements);
    }
  }

  /// Every message of the subsystem names its table in attribute 1.
  private int begin(int step, int message, int flags, NftTableName table) {
    return begin(step, 0, message, flags, table);
  }

  private int begin(int step, int firstElement, int message, int flags, NftTableName table) {
    lastMessage =
        out.beginMessage(
            SUBSYSTEM << 8 | message,
            REQUEST | flags,
            nextSequence++,
            familyCode(table.family()),
            0);
    slots.add(new Slot(step, firstElement, lastMessage));
    out.text(1, table.name());
    return lastMessage;
  }

  /// NFPROTO_IPV4 and NFPROTO_IPV6.
  static int familyCode(IpFamily family) {
    return switch (family) {
      case IPV4 -> 2;
      case IPV6 -> 10;
    };
  }

  private void addChain(int index, NftTableName table, String chain, @Nullable NftHook hook) {
    int start = begin(index, NEW_CHAIN, CREATE | EXCLUSIVE, table);
    out.text(3, chain);
    if (hook != null) {
      int nest = out.beginNest(4);
      out.be32(1, hook.point().number());
      out.be32(2, hook.priority());
      out.endNest(nest);
      out.be32(5, 1);
      out.text(7, hook.type().text());
    }
    out.endMessage(start);
  }

  private void addSet(int index, NftTableName table, NftSet set) {
    int start = begin(index, NEW_SET, CREATE | EXCLUSIVE, table);
    out.text(2, set.name());
    out.be32(3, setFlags(set.shape()));
    out.be32(4, set.keyTypeId());
    out.be32(5, set.keyOctets());
    if (set.shape() == NftSet.Shape.VERDICT_MAP) {
      out.be32(6, VERDICT_TYPE);
      out.be32(7, VERDICT_OCTETS);
    }
    if (set.shape() == NftSet.Shape.DATA_MAP) {
      out.be32(6, set.dataTypeId());
      out.be32(7, set.dataOctets());
    }
    if (set.shape() == NftSet.Shape.INTERVAL) {
      int description = out.beginNest(9);
      int concatenation = out.beginNest(2);
      for (NftField field : set.key()) {
        int element = out.beginNest(1);
        out.be32(1, field.octets());
        out.endNest(element);
      }
      out.endNest(concatenation);
      out.endNest(description);
    }
    out.be32(10, nextSetId++);
    if (set.key().size() == 1) {
      out.attribute(13, byteOrderTag(set.key().getFirst()));
    }
    out.endMessage(start);
  }

  /// Userdata by which the nft tool knows how to print a single key (libnftnl's
  /// NFTNL_UDATA_SET_KEYBYTEORDER: type 0, `enum byteorder` of the tool in host order).
  private static NftData byteOrderTag(NftField field) {
    int order =
        switch (field) {
          case MARK, INTERFACE_NAME -> 1;
          case IPV4_ADDRESS, IPV6_ADDRESS, PROTOCOL, PORT -> 2;
        };
    byte[] tag = new byte[6];
    tag[1] = 4;
    System.arraycopy(NftData.hostOrder(order).raw(), 0, tag, 2, 4);
    return NftData.of(tag);
  }

  /// A hash set of concatenated keys must not carry the concatenation flag; an interval set must.
  static int setFlags(NftSet.Shape shape) {
    return switch (shape) {
      case HASH -> 0;
      case INTERVAL -> SET_INTERVAL | SET_CONCAT;
      case VERDICT_MAP, DATA_MAP -> SET_MAP;
    };
  }

  private void elements(
      int index,
      int message,
      int flags,
      NftTableName table,
      NftSet set,
      List<NftElement> elements) {
    int at = 0;
    while (at < elements.size()) {
      int start = begin(index, at, message, flags, table);
      out.text(2, set.name());
      int list = out.beginNest(3);
      do {
        element(elements.get(at));
        at++;
      } while (at < elements.size() && out.position() - list < MAX_ELEMENTS_OCTETS);
      out.endNest(list);
      out.endMessage(start);
    }
  }

  private void element(NftElement element) {
    int nest = out.beginNest(1);
    ExprCodec.value(out, 1, element.key());
    if (element.verdict() != null) {
      ExprCodec.verdict(out, 2, element.verdict());
    }
    if (element.value() != null) {
      ExprCodec.value(out, 2, element.value());
    }
    if (element.end() != null) {
      ExprCodec.value(out, 10, element.end());
    }
    out.endNest(nest);
  }
}
