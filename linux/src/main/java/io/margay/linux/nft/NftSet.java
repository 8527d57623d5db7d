package io.margay.linux.nft;

import java.util.List;

/// The definition of a named set or map. Its elements are told apart from it, because they change
/// alone.
///
/// @param name unique in its table
/// @param key the fields of the key; several make a concatenation
/// @param shape how keys are matched and what they yield
/// @param data the fields of what a key yields; data maps only
public record NftSet(String name, List<NftField> key, Shape shape, List<NftField> data) {

  /// NFT_NAME_MAXLEN less its zero.
  static final int MAX_NAME_OCTETS = 255;

  /// NFT_REG32_COUNT registers of 4 octets.
  static final int MAX_KEY_OCTETS = 64;

  public enum Shape {
    /// Exact keys in a hash table.
    HASH,
    /// Elements are ranges, field by field; ranges must not overlap. Concatenated keys only.
    INTERVAL,
    /// Exact keys, each with a verdict.
    VERDICT_MAP,
    /// Exact keys, each with a value.
    DATA_MAP
  }

  public NftSet {
    requireName(name);
    key = List.copyOf(key);
    data = List.copyOf(data);
    if ((shape == Shape.DATA_MAP) == data.isEmpty() || keyOctets(data) > MAX_KEY_OCTETS) {
      throw new IllegalArgumentException(
          "set " + name + " of shape " + shape + " can't yield " + data);
    }
    if (key.isEmpty() || keyOctets(key) > MAX_KEY_OCTETS) {
      throw new IllegalArgumentException(
          "set " + name + " has a key of " + keyOctets(key) + " octets; 1 to " + MAX_KEY_OCTETS);
    }
    if (shape == Shape.INTERVAL && key.size() < 2) {
      // A single-field interval set is the kernel's rbtree, with another element encoding.
      throw new IllegalArgumentException(
          "interval set " + name + " needs a key of two fields or more");
    }
  }

  public static NftSet hash(String name, NftField... key) {
    return new NftSet(name, List.of(key), Shape.HASH, List.of());
  }

  public static NftSet interval(String name, NftField... key) {
    return new NftSet(name, List.of(key), Shape.INTERVAL, List.of());
  }

  public static NftSet verdictMap(String name, NftField... key) {
    return new NftSet(name, List.of(key), Shape.VERDICT_MAP, List.of());
  }

  public static NftSet dataMap(String name, List<NftField> key, List<NftField> data) {
    return new NftSet(name, key, Shape.DATA_MAP, data);
  }

  /// Octets of a key as the kernel stores it: fields padded, unless there is only one.
  int keyOctets() {
    return keyOctets(key);
  }

  /// Octets of what a key yields; 0 but for data maps.
  int dataOctets() {
    return keyOctets(data);
  }

  private static int keyOctets(List<NftField> key) {
    if (key.size() == 1) {
      return key.getFirst().octets();
    }
    int octets = 0;
    for (NftField field : key) {
      octets += field.paddedOctets();
    }
    return octets;
  }

  /// The nft tool's number for the key: 6 bits a field, the first field highest.
  int keyTypeId() {
    return typeId(key);
  }

  int dataTypeId() {
    return typeId(data);
  }

  private static int typeId(List<NftField> fields) {
    int id = 0;
    for (NftField field : fields) {
      id = id << 6 | field.typeId();
    }
    return id;
  }

  /// @throws IllegalArgumentException if the element does not fit this set
  void require(NftElement element) {
    boolean fits =
        element.key().length() == keyOctets()
            && (shape == Shape.INTERVAL) == (element.end() != null)
            && (shape == Shape.VERDICT_MAP) == (element.verdict() != null)
            && dataOctets() == (element.value() == null ? 0 : element.value().length());
    if (!fits) {
      throw new IllegalArgumentException("element " + element + " does not fit set " + name);
    }
  }

  static void requireName(String name) {
    boolean legal = !name.isEmpty() && name.length() <= MAX_NAME_OCTETS;
    for (int i = 0; i < name.length() && legal; i++) {
      char c = name.charAt(i);
      legal = c > ' ' && c < 0x7f && "{};,\"\\#".indexOf(c) < 0;
    }
    if (!legal) {
      throw new IllegalArgumentException(
          "\""
              + name
              + "\" cannot name a chain or set: 1 to "
              + MAX_NAME_OCTETS
              + " plain characters");
    }
  }
}
