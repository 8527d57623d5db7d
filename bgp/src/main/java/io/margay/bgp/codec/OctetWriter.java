package io.margay.bgp.codec;

import java.util.Arrays;

/// Octets being written, high octet first. Kept and reused: writing a message makes no garbage.
final class OctetWriter {

  private byte[] octets;
  private int size;

  /// @param room for so many octets to begin with
  OctetWriter(int room) {
    this.octets = new byte[room];
  }

  int size() {
    return size;
  }

  /// Forgets what was written.
  void clear() {
    size = 0;
  }

  byte[] octets() {
    return octets;
  }

  private int claim(int more) {
    int at = size;
    if (at + more > octets.length) {
      octets = Arrays.copyOf(octets, Math.max(2 * octets.length, at + more));
    }
    size = at + more;
    return at;
  }

  void u8(int value) {
    int at = claim(1);
    octets[at] = (byte) value;
  }

  void u16(int value) {
    int at = claim(2);
    octets[at] = (byte) (value >>> 8);
    octets[at + 1] = (byte) value;
  }

  void u32(int value) {
    int at = claim(4);
    octets[at] = (byte) (value >>> 24);
    octets[at + 1] = (byte) (value >>> 16);
    octets[at + 2] = (byte) (value >>> 8);
    octets[at + 3] = (byte) value;
  }

  void u64(long value) {
    u32((int) (value >>> 32));
    u32((int) value);
  }

  void bytes(byte[] more) {
    int at = claim(more.length);
    System.arraycopy(more, 0, octets, at, more.length);
  }

  void bytes(OctetWriter more) {
    int at = claim(more.size);
    System.arraycopy(more.octets, 0, octets, at, more.size);
  }

  void fill(int count, int value) {
    int at = claim(count);
    Arrays.fill(octets, at, at + count, (byte) value);
  }

  /// Overwrites two octets.
  void u16At(int at, int value) {
    octets[at] = (byte) (value >>> 8);
    octets[at + 1] = (byte) value;
  }

  /// An IPv4 prefix: the length and the octets that matter (RFC 4271 §4.3).
  void ipv4Prefix(long address, int length) {
    int at = claim(5);
    octets[at] = (byte) length;
    octets[at + 1] = (byte) (address >>> 24);
    octets[at + 2] = (byte) (address >>> 16);
    octets[at + 3] = (byte) (address >>> 8);
    octets[at + 4] = (byte) address;
    // All four are there; those beyond the length are taken back.
    size = at + 1 + (length + 7 >>> 3);
  }

  /// An IPv6 prefix.
  void ipv6Prefix(long high, long low, int length) {
    int at = size;
    u8(length);
    u64(high);
    u64(low);
    size = at + 1 + (length + 7 >>> 3);
  }
}
