package io.margay.linux.nft;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;

/// The immutable contents of nf_tables registers: an element's key, or a value to compare with.
///
/// The octets are exactly what the kernel compares. Packet fields are big-endian; marks and
/// connection states are in host order, because the kernel keeps them as its own integers.
public final class NftData implements Comparable<NftData> {

  /// IFNAMSIZ (linux/if.h): names are compared as zero-padded fields of this size.
  static final int INTERFACE_NAME_OCTETS = 16;

  private final byte[] octets;
  private final int hash;

  private NftData(byte[] octets) {
    this.octets = octets;
    this.hash = Arrays.hashCode(octets);
  }

  public static NftData of(byte[] octets) {
    return new NftData(octets.clone());
  }

  public static NftData address(IpAddress address) {
    return new NftData(address.toBytes());
  }

  /// A 32-bit number in host order: a mark, a connection state mask, an interface index.
  public static NftData hostOrder(int value) {
    return new NftData(ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(value).array());
  }

  /// An IP protocol number or another single octet.
  public static NftData octet(int value) {
    if (value < 0 || value > 255) {
      throw new IllegalArgumentException(value + " is not an octet");
    }
    return new NftData(new byte[] {(byte) value});
  }

  /// A TCP, UDP or SCTP port.
  public static NftData port(int value) {
    if (value < 0 || value > 65535) {
      throw new IllegalArgumentException(value + " is not a port");
    }
    return new NftData(new byte[] {(byte) (value >>> 8), (byte) value});
  }

  /// A whole interface name, zero-padded to 16 octets.
  public static NftData interfaceName(InterfaceName name) {
    return new NftData(
        Arrays.copyOf(name.value().getBytes(StandardCharsets.UTF_8), INTERFACE_NAME_OCTETS));
  }

  /// The first octets of interface names: compared unpadded, it matches every name that begins so.
  public static NftData interfaceNamePrefix(String prefix) {
    byte[] octets = prefix.getBytes(StandardCharsets.UTF_8);
    if (octets.length < 1 || octets.length >= INTERFACE_NAME_OCTETS) {
      throw new IllegalArgumentException(
          "interface name prefix \"" + prefix + "\" must have 1 to 15 octets");
    }
    return new NftData(octets);
  }

  /// A concatenated key: each field padded with zeros to a multiple of 4 octets, as registers are.
  public static NftData concat(NftData... fields) {
    int length = 0;
    for (NftData field : fields) {
      length += padded(field.octets.length);
    }
    byte[] all = new byte[length];
    int at = 0;
    for (NftData field : fields) {
      System.arraycopy(field.octets, 0, all, at, field.octets.length);
      at += padded(field.octets.length);
    }
    return new NftData(all);
  }

  static int padded(int octets) {
    return (octets + 3) & ~3;
  }

  public int length() {
    return octets.length;
  }

  /// A fresh array.
  public byte[] toBytes() {
    return octets.clone();
  }

  /// The octets themselves, for the codec only: not to be written to.
  byte[] raw() {
    return octets;
  }

  NftData slice(int from, int length) {
    return new NftData(Arrays.copyOfRange(octets, from, from + length));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof NftData data && hash == data.hash && Arrays.equals(octets, data.octets);
  }

  @Override
  public int hashCode() {
    return hash;
  }

  @Override
  public int compareTo(NftData other) {
    return Arrays.compareUnsigned(octets, other.octets);
  }

  @Override
  public String toString() {
    return "0x" + HexFormat.of().formatHex(octets);
  }
}
