package io.margay.linux;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jnr.ffi.Pointer;

/// Memory outside the Java heap that both sides see, in the machine's byte order. Reuse one instead
/// of allocating per call; the memory lives as long as this object is reachable.
public final class NativeBuffer {

  private final ByteBuffer bytes;
  private final Pointer pointer;

  private NativeBuffer(int size) {
    bytes = ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder());
    // JNR passes address + position of a wrapped buffer at call time. The duplicate's position
    // stays
    // 0, so filling `bytes` does not move what the kernel sees.
    pointer = Pointer.wrap(NativeBinding.RUNTIME, bytes.duplicate());
  }

  public static NativeBuffer allocate(int size) {
    return new NativeBuffer(size);
  }

  /// The memory as a buffer; position and limit are the caller's own and never reach the kernel.
  public ByteBuffer bytes() {
    return bytes;
  }

  public int size() {
    return bytes.capacity();
  }

  /// The machine address of the first octet, for structures that point to others (`struct msghdr`).
  /// Keep this object reachable while the kernel may follow it.
  public long address() {
    return pointer.address();
  }

  Pointer pointer() {
    return pointer;
  }
}
