package io.margay.linux.netns;

import io.margay.linux.Errno;
import io.margay.linux.LibC;
import io.margay.linux.LinuxException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;

/// An open network namespace. It exists at least as long as this does, whatever becomes of its path
/// or of the processes inside.
public final class Netns implements AutoCloseable {

  private static final Path OWN = Path.of("/proc/thread-self/ns/net");

  private final int fd;
  private final NetnsId id;

  private Netns(int fd, NetnsId id) {
    this.fd = fd;
    this.id = id;
  }

  /// Opens a namespace by path: `/var/run/netns/NAME`, `/proc/PID/ns/net`.
  public static Netns open(Path path) throws LinuxException {
    return adopt(LibC.open(path.toString(), LibC.O_RDONLY | LibC.O_CLOEXEC));
  }

  /// The namespace of the calling thread (not of the process: `/proc/self` is its main thread).
  public static Netns ofThread() throws LinuxException {
    return open(OWN);
  }

  /// Takes over a descriptor, e.g. one received over a socket; closing this closes it. On failure
  /// it is closed as well.
  public static Netns adopt(int fd) throws LinuxException {
    try {
      return new Netns(fd, NetnsId.of(fd));
    } catch (LinuxException e) {
      LibC.close(fd);
      throw e;
    }
  }

  /// The descriptor, valid until [#close].
  public int fd() {
    return fd;
  }

  public NetnsId id() {
    return id;
  }

  /// A system call or two made inside a namespace.
  @FunctionalInterface
  public interface Call<T> {
    T call() throws LinuxException;
  }

  /// Runs `call` inside the namespace behind `netnsFd`, on a platform thread made for it that then
  /// dies: nothing has to be restored, and no failure can leave a thread in the wrong place.
  ///
  /// **Only system calls inside.** A thread inherits the namespace of the thread that starts it, so
  /// anything that may start one (an executor, a virtual thread, an asynchronous log appender, the
  /// first use of the common pool) would move unrelated work of this process into the pod. Open
  /// descriptors inside, use them outside: a socket keeps the namespace it was opened in.
  public static <T> T callIn(int netnsFd, Call<T> call) throws LinuxException {
    NetnsThread<T> thread = new NetnsThread<>(netnsFd, call);
    thread.start();
    return thread.result();
  }

  /// Runs `call` inside this namespace; see [#callIn(int, Call)] for what it may do.
  public <T> T callIn(Call<T> call) throws LinuxException {
    return callIn(fd, call);
  }

  /// The same on the calling thread, which goes in and comes back: a fifth of a millisecond less.
  /// From a virtual thread, whose carrier would go along, it is [#callIn(int, Call)].
  ///
  /// A thread that can't come back would take a pod for the node. There is no reason known why the
  /// kernel should refuse it its own namespace; if it does, the error ends the thread.
  public static <T> T visit(int netnsFd, Call<T> call) throws LinuxException {
    if (Thread.currentThread().isVirtual()) {
      return callIn(netnsFd, call);
    }
    int own = LibC.open(OWN.toString(), LibC.O_RDONLY | LibC.O_CLOEXEC);
    try {
      LibC.setns(netnsFd, LibC.CLONE_NEWNET);
      try {
        return call.call();
      } finally {
        comeBack(own);
      }
    } finally {
      LibC.close(own);
    }
  }

  private static void comeBack(int own) {
    try {
      LibC.setns(own, LibC.CLONE_NEWNET);
    } catch (LinuxException refused) {
      throw new StrandedThreadError(refused);
    }
  }

  /// The calling thread is in a namespace where it must not stay.
  static final class StrandedThreadError extends Error {
    private static final long serialVersionUID = 1L;

    StrandedThreadError(LinuxException cause) {
      super("this thread can't return from a network namespace; it must end", cause);
    }
  }

  /// Sets a sysctl of the namespace behind `netnsFd`.
  public static void writeSysctl(int netnsFd, Sysctl sysctl, String value) throws LinuxException {
    callIn(
        netnsFd,
        () -> {
          sysctl.write(value);
          return value;
        });
  }

  /// Sets sysctls of the namespace behind `netnsFd`, in the map's order, in one entry.
  public static void writeSysctls(int netnsFd, Map<Sysctl, String> values) throws LinuxException {
    callIn(
        netnsFd,
        () -> {
          for (Map.Entry<Sysctl, String> entry : values.entrySet()) {
            entry.getKey().write(entry.getValue());
          }
          return values;
        });
  }

  /// Reads a sysctl of the namespace behind `netnsFd`.
  public static String readSysctl(int netnsFd, Sysctl sysctl) throws LinuxException {
    return callIn(netnsFd, sysctl::read);
  }

  @Override
  public void close() {
    LibC.close(fd);
  }

  /// The identity of a namespace: two descriptors with equal identities are the same namespace.
  ///
  /// @param device `st_dev` of its nsfs inode
  /// @param inode `st_ino`, what `readlink /proc/PID/ns/net` shows
  public record NetnsId(long device, long inode) {

    /// The identity of the namespace behind a descriptor.
    public static NetnsId of(int fd) throws LinuxException {
      Path file = Path.of("/proc/thread-self/fd", Integer.toString(fd));
      NetnsId id = stat(file);
      // All namespaces live on the kernel's one nsfs; setns itself refuses those of another type.
      if (id.device() != stat(OWN).device()) {
        throw new LinuxException("identify network namespace", file.toString(), Errno.EINVAL);
      }
      return id;
    }

    private static NetnsId stat(Path file) throws LinuxException {
      try {
        Map<String, Object> stat = Files.readAttributes(file, "unix:dev,ino");
        return new NetnsId(number(stat, "dev"), number(stat, "ino"));
      } catch (IOException e) {
        throw new LinuxException("stat", file + " (" + e.getMessage() + ")", Errno.EBADF);
      }
    }

    private static long number(Map<String, Object> stat, String key) {
      return ((Number) Objects.requireNonNull(stat.get(key), key)).longValue();
    }
  }
}
