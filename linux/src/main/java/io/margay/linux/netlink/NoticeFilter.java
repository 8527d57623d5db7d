package io.margay.linux.netlink;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// Instructions of classic BPF (linux/filter.h) that look at one netlink message, for {@link
/// io.margay.linux.LibC#attachFilter}: what a socket need not hear then neither fills its buffer
/// nor wakes its reader. Jumps are counted in instructions, from the next one.
public final class NoticeFilter {

  /// Offsets in `struct nlmsghdr`.
  public static final int TYPE = 4;

  public static final int FLAGS = 6;

  /// The netlink port of the socket whose request caused the notification; 0 is the kernel itself.
  public static final int PORT = 12;

  /// Where the family's own header begins.
  public static final int PAYLOAD = 16;

  private static final int LOAD_WORD = 0x20; // BPF_LD | BPF_W | BPF_ABS
  private static final int LOAD_HALF = 0x28;
  private static final int LOAD_OCTET = 0x30;
  private static final int JUMP_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
  private static final int JUMP_ANY_BIT = 0x45; // BPF_JMP | BPF_JSET | BPF_K
  private static final int RETURN = 0x06; // BPF_RET | BPF_K

  private NoticeFilter() {}

  /// Loads the 32 bits at an offset.
  public static long word(int offset) {
    return instruction(LOAD_WORD, 0, 0, offset);
  }

  /// Loads the 16 bits at an offset.
  public static long half(int offset) {
    return instruction(LOAD_HALF, 0, 0, offset);
  }

  /// Loads the octet at an offset.
  public static long octet(int offset) {
    return instruction(LOAD_OCTET, 0, 0, offset);
  }

  /// Compares what [#word] loaded, a number in the machine's order.
  public static long ifWord(int value, int then, int otherwise) {
    return instruction(
        JUMP_EQUAL, then, otherwise, isLittle() ? Integer.reverseBytes(value) : value);
  }

  /// Compares what [#half] loaded, a number in the machine's order.
  public static long ifHalf(int value, int then, int otherwise) {
    return instruction(JUMP_EQUAL, then, otherwise, half(value, isLittle()));
  }

  /// Compares what [#octet] loaded.
  public static long ifOctet(int value, int then, int otherwise) {
    return instruction(JUMP_EQUAL, then, otherwise, value);
  }

  /// Whether what [#half] loaded has any of these bits.
  public static long ifHalfHas(int bits, int then, int otherwise) {
    return instruction(JUMP_ANY_BIT, then, otherwise, half(bits, isLittle()));
  }

  /// The whole message is heard.
  public static long keep() {
    return instruction(RETURN, 0, 0, -1);
  }

  /// The message is not heard.
  public static long drop() {
    return instruction(RETURN, 0, 0, 0);
  }

  /// Hears everything but what one socket caused, and of that what the rest keeps.
  public static long[] exceptFrom(int port, long... rest) {
    long[] program = new long[rest.length + 3];
    program[0] = word(PORT);
    program[1] = ifWord(port, 0, 1);
    program[2] = drop();
    System.arraycopy(rest, 0, program, 3, rest.length);
    return program;
  }

  /// The filter loads numbers as big-endian ones.
  private static int half(int value, boolean isLittle) {
    return isLittle ? Short.toUnsignedInt(Short.reverseBytes((short) value)) : value;
  }

  private static boolean isLittle() {
    return ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
  }

  private static long instruction(int code, int ifTrue, int ifFalse, int value) {
    ByteBuffer octets = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder());
    octets.putShort((short) code).put((byte) ifTrue).put((byte) ifFalse).putInt(value);
    return octets.getLong(0);
  }
}
