package io.margay.linux.nft;

import java.util.Arrays;

/// The registers of the nf_tables virtual machine: slots 8 to 23 of four octets each. As in the
/// kernel a value fills whole slots, padded with zeros, and rules begin with what earlier ones
/// left.
final class NftRegisters {

  private static final int SLOT_OCTETS = 4;
  private static final int SLOTS = NftExpr.LAST_REGISTER - NftExpr.FIRST_REGISTER + 1;

  private final byte[] octets = new byte[SLOTS * SLOT_OCTETS];

  private static int at(int register) {
    return (register - NftExpr.FIRST_REGISTER) * SLOT_OCTETS;
  }

  void load(int register, byte[] from, int offset, int length) {
    int at = at(register);
    System.arraycopy(from, offset, octets, at, length);
    Arrays.fill(octets, at + length, at + NftData.padded(length), (byte) 0);
  }

  void load(int register, NftData data) {
    load(register, data.raw(), 0, data.length());
  }

  /// The mask's own padding is zero, so what lies beyond the mask is cleared.
  void mask(int register, NftData mask) {
    int at = at(register);
    byte[] bits = mask.raw();
    for (int i = 0; i < bits.length; i++) {
      octets[at + i] &= bits[i];
    }
    Arrays.fill(octets, at + bits.length, at + NftData.padded(bits.length), (byte) 0);
  }

  /// As memcmp has it: octets are unsigned.
  int compare(int register, NftData with) {
    int at = at(register);
    byte[] data = with.raw();
    return Arrays.compareUnsigned(octets, at, at + data.length, data, 0, data.length);
  }

  NftData read(int register, int length) {
    int at = at(register);
    return NftData.of(Arrays.copyOfRange(octets, at, at + length));
  }
}
