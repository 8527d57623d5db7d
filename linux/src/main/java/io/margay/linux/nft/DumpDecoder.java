package io.margay.linux.nft;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Builds an [NftDump] from the attributes of GET replies, as `nf_tables_fill_*_info` of the kernel
/// writes them. Attributes it does not know are skipped.
final class DumpDecoder {

  private static final int BITS_PER_FIELD = 6;

  private boolean found;
  private boolean owned;
  private boolean persistent;
  private boolean dormant;
  private boolean gone;
  private final Map<String, String> hooks = new LinkedHashMap<>();
  private final Map<String, List<NftData>> tags = new HashMap<>();
  private final Map<String, NftDump.Elements> sets = new LinkedHashMap<>();
  private final Set<NftObject> objects = new HashSet<>();
  private final List<NftSet> ours = new ArrayList<>();

  void table(AttributeReader in) {
    found = true;
    while (in.next()) {
      if (in.type() == 2) {
        int flags = in.be32();
        owned = (flags & NftBatch.TABLE_OWNER) != 0;
        persistent = (flags & NftBatch.TABLE_PERSIST) != 0;
        dormant = (flags & NftBatch.TABLE_DORMANT) != 0;
      }
    }
  }

  /// @param table chains of other tables of the family come in the same dump and are skipped
  void chain(AttributeReader in, String table) {
    String of = "";
    String name = "";
    String type = "";
    String hook = "";
    int policy = 1;
    while (in.next()) {
      switch (in.type()) {
        case 1 -> of = in.text();
        case 3 -> name = in.text();
        case 4 -> hook = hook(in.nested());
        case 5 -> policy = in.be32();
        case 7 -> type = in.text();
        default -> {}
      }
    }
    if (of.equals(table)) {
      String text =
          hook.isEmpty() ? "" : "type " + type + hook + (policy == 1 ? "" : " not accept");
      hooks.put(name, text);
    }
  }

  private static String hook(AttributeReader in) {
    int number = -1;
    int priority = 0;
    while (in.next()) {
      switch (in.type()) {
        case 1 -> number = in.be32();
        case 2 -> priority = in.be32();
        default -> {}
      }
    }
    String point = Integer.toString(number);
    for (NftHook.Point known : NftHook.Point.values()) {
      if (known.number() == number) {
        point = known.text();
      }
    }
    return " hook " + point + " priority " + priority;
  }

  void rule(AttributeReader in, String table) {
    String of = "";
    String chain = "";
    NftData tag = NftData.of(new byte[0]);
    while (in.next()) {
      switch (in.type()) {
        case 1 -> of = in.text();
        case 2 -> chain = in.text();
        case 7 -> tag = in.data();
        default -> {}
      }
    }
    if (of.equals(table)) {
      tags.computeIfAbsent(chain, _ -> new ArrayList<>()).add(tag);
    }
  }

  void set(AttributeReader in) {
    String name = "";
    int flags = 0;
    int keyType = 0;
    int keyOctets = 0;
    int dataType = NftBatch.VERDICT_TYPE;
    int dataOctets = 0;
    while (in.next()) {
      switch (in.type()) {
        case 2 -> name = in.text();
        case 3 -> flags = in.be32();
        case 4 -> keyType = in.be32();
        case 5 -> keyOctets = in.be32();
        case 6 -> dataType = in.be32();
        case 7 -> dataOctets = in.be32();
        default -> {}
      }
    }
    if ((flags & NftBatch.SET_ANONYMOUS) != 0) {
      // Lives and dies with the foreign rule that holds it.
      return;
    }
    List<NftField> data = dataType == NftBatch.VERDICT_TYPE ? List.of() : fields(dataType);
    NftSet definition = definition(name, flags, fields(keyType), data);
    boolean fits =
        definition != null
            && definition.keyOctets() == keyOctets
            && (dataType == NftBatch.VERDICT_TYPE || definition.dataOctets() == dataOctets);
    if (!fits) {
      definition = null;
    }
    if (definition != null) {
      ours.add(definition);
    }
    sets.put(name, new NftDump.Elements(definition, new HashMap<>()));
  }

  /// @param table objects of other tables may come in the same dump and are skipped
  void object(AttributeReader in, String table) {
    String of = "";
    String name = "";
    int type = 0;
    while (in.next()) {
      switch (in.type()) {
        case 1 -> of = in.text();
        case 2 -> name = in.text();
        case 3 -> type = in.be32();
        default -> {}
      }
    }
    if (of.equals(table)) {
      objects.add(new NftObject(type, name));
    }
  }

  private static @Nullable NftSet definition(
      String name, int flags, List<NftField> key, List<NftField> data) {
    for (NftSet.Shape shape : NftSet.Shape.values()) {
      boolean possible =
          !key.isEmpty()
              && (shape != NftSet.Shape.INTERVAL || key.size() > 1)
              && (shape == NftSet.Shape.DATA_MAP) != data.isEmpty();
      if (possible && NftBatch.setFlags(shape) == flags) {
        return new NftSet(name, key, shape, data);
      }
    }
    return null;
  }

  /// Empty if one of them is not of ours.
  private static List<NftField> fields(int type) {
    List<NftField> fields = new ArrayList<>();
    for (int rest = type; rest != 0; rest >>>= BITS_PER_FIELD) {
      NftField field = field(rest & (1 << BITS_PER_FIELD) - 1);
      if (field == null) {
        return List.of();
      }
      fields.addFirst(field);
    }
    return fields;
  }

  private static @Nullable NftField field(int typeId) {
    for (NftField field : NftField.values()) {
      if (field.typeId() == typeId) {
        return field;
      }
    }
    return null;
  }

  /// Something listed was deleted before it was read.
  void markGone() {
    gone = true;
  }

  boolean isGone() {
    return gone;
  }

  boolean isFound() {
    return found;
  }

  /// The sets whose elements are worth asking for.
  List<NftSet> sets() {
    return ours;
  }

  void elements(NftSet set, Map<NftData, NftElement> elements) {
    sets.put(set.name(), new NftDump.Elements(set, elements));
  }

  static void elements(AttributeReader in, Map<NftData, NftElement> into) {
    while (in.next()) {
      if (in.type() == 3) {
        AttributeReader list = in.nested();
        while (list.next()) {
          element(list.nested(), into);
        }
      }
    }
  }

  private static void element(AttributeReader in, Map<NftData, NftElement> into) {
    NftData key = null;
    NftData end = null;
    AttributeReader data = null;
    while (in.next()) {
      switch (in.type()) {
        case 1 -> key = value(in.nested());
        case 2 -> data = in.nested();
        case 10 -> end = value(in.nested());
        default -> {}
      }
    }
    if (key != null) {
      NftElement element = new NftElement(key, end, null, null);
      into.put(key, data == null ? element : ExprCodec.readData(data, element));
    }
  }

  private static @Nullable NftData value(AttributeReader in) {
    return in.next() ? in.data() : null;
  }

  NftDump toDump() {
    Map<String, NftDump.Chain> chains = new LinkedHashMap<>();
    hooks.forEach(
        (name, hook) ->
            chains.put(
                name, new NftDump.Chain(hook, List.copyOf(tags.getOrDefault(name, List.of())))));
    return new NftDump(owned, persistent, dormant, chains, sets, objects);
  }
}
