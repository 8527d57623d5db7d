package io.margay.cli.install;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The kernel's own word on what happens in directories, which runtimes act upon. Java's watch
/// service does not tell a rename from a creation.
final class Inotify implements AutoCloseable {

  static final int MOVED_FROM = 0x40;
  static final int MOVED_TO = 0x80;
  static final int CREATE = 0x100;
  private static final int CLOSE_WRITE = 0x8;
  private static final int NONBLOCK = 0x800;
  private static final int HEADER = 16;
  private static final int BUFFER = 1 << 16;

  /// @param cookie the same for both ends of a rename
  record Event(Path directory, int kind, int cookie, String name) {}

  private final Arena arena = Arena.ofConfined();
  private final Map<Integer, Path> watches = new HashMap<>();
  private final int fd;

  Inotify(Path... directories) throws Throwable {
    fd = (int) function("inotify_init1", JAVA_INT, JAVA_INT).invokeExact(NONBLOCK);
    MethodHandle add = function("inotify_add_watch", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
    for (Path directory : directories) {
      int watch =
          (int)
              add.invokeExact(
                  fd,
                  arena.allocateFrom(directory.toString()),
                  MOVED_FROM | MOVED_TO | CREATE | CLOSE_WRITE);
      watches.put(watch, directory);
    }
  }

  private static MethodHandle function(
      String name, MemoryLayout result, MemoryLayout... arguments) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(
        linker.defaultLookup().findOrThrow(name), FunctionDescriptor.of(result, arguments));
  }

  /// What happened so far, in order.
  List<Event> events() throws Throwable {
    MemorySegment buffer = arena.allocate(BUFFER, 8);
    long length =
        (long)
            function("read", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG)
                .invokeExact(fd, buffer, (long) BUFFER);
    List<Event> events = new ArrayList<>();
    for (long at = 0; at < length; ) {
      int nameLength = buffer.get(JAVA_INT, at + 12);
      events.add(
          new Event(
              watches.getOrDefault(buffer.get(JAVA_INT, at), Path.of("")),
              buffer.get(JAVA_INT, at + 4),
              buffer.get(JAVA_INT, at + 8),
              nameLength == 0 ? "" : buffer.getString(at + HEADER)));
      at += HEADER + nameLength;
    }
    return events;
  }

  @Override
  public void close() {
    try {
      int ignored = (int) function("close", JAVA_INT, JAVA_INT).invokeExact(fd);
      arena.close();
    } catch (Throwable failure) {
      throw new IllegalStateException(failure);
    }
  }
}
