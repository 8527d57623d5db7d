package io.margay.linux.netlink;

import io.margay.linux.NetlinkException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/// The attributes of a message or of a nest, in wire order, bounds already checked.
public final class Attributes implements Iterable<Attribute> {

  static final VarHandle SHORT =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.nativeOrder());
  static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.nativeOrder());
  static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());

  static final int HEADER_OCTETS = 4;

  private final List<Attribute> entries;

  private Attributes(List<Attribute> entries) {
    this.entries = entries;
  }

  static Attributes parse(byte[] bytes, int from, int to, NetlinkMessage message)
      throws NetlinkException {
    List<Attribute> entries = new ArrayList<>();
    int at = from;
    // Up to three octets of padding may remain behind the last attribute.
    while (to - at >= HEADER_OCTETS) {
      int length = (short) SHORT.get(bytes, at) & 0xffff;
      int type = (short) SHORT.get(bytes, at + 2) & 0x3fff; // less NESTED and NET_BYTEORDER
      if (length < HEADER_OCTETS || length > to - at) {
        throw message.malformed(
            "has an attribute "
                + type
                + " of length "
                + length
                + " where "
                + (to - at)
                + " octets remain");
      }
      entries.add(new Attribute(type, bytes, at + HEADER_OCTETS, length - HEADER_OCTETS, message));
      at += align(length);
    }
    return new Attributes(entries);
  }

  static int align(int octets) {
    return (octets + 3) & ~3;
  }

  /// The last attribute of this type, as the kernel's own parser takes it.
  public Optional<Attribute> find(int type) {
    for (int i = entries.size() - 1; i >= 0; i--) {
      if (entries.get(i).type() == type) {
        return Optional.of(entries.get(i));
      }
    }
    return Optional.empty();
  }

  public boolean has(int type) {
    return find(type).isPresent();
  }

  /// The 32-bit value of an attribute, or `absent`.
  public int u32(int type, int absent) throws NetlinkException {
    Optional<Attribute> found = find(type);
    return found.isPresent() ? found.get().u32() : absent;
  }

  /// The text of an attribute, or `absent`.
  public String string(int type, String absent) {
    Optional<Attribute> found = find(type);
    return found.isPresent() ? found.get().string() : absent;
  }

  @Override
  public Iterator<Attribute> iterator() {
    return entries.iterator();
  }

  public int size() {
    return entries.size();
  }
}
