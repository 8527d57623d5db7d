package io.margay.linux;

import jnr.ffi.LibraryLoader;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;
import jnr.ffi.annotations.In;
import jnr.ffi.types.size_t;
import jnr.ffi.types.ssize_t;

/// The foreign functions, as libc declares them. Loading happens on first use and costs about a
/// quarter of a second, so a latency-critical process touches it at start.
final class NativeBinding {

  /// Public only because JNR-FFI implements it from another class loader; this file keeps it in.
  public interface Functions {
    int socket(int domain, int type, int protocol);

    int bind(int fd, Pointer address, int length);

    int connect(int fd, Pointer address, int length);

    int listen(int fd, int backlog);

    int getsockname(int fd, Pointer address, Pointer length);

    int accept4(int fd, @In Pointer address, @In Pointer length, int flags);

    int shutdown(int fd, int how);

    @ssize_t
    long send(int fd, Pointer bytes, @size_t long length, int flags);

    @ssize_t
    long recv(int fd, Pointer bytes, @size_t long length, int flags);

    @ssize_t
    long sendmsg(int fd, Pointer header, int flags);

    @ssize_t
    long recvmsg(int fd, Pointer header, int flags);

    int setsockopt(int fd, int level, int option, Pointer value, int length);

    int getsockopt(int fd, int level, int option, Pointer value, Pointer length);

    int poll(Pointer fds, long count, int timeoutMillis);

    int eventfd(int initial, int flags);

    @ssize_t
    long read(int fd, Pointer bytes, @size_t long length);

    @ssize_t
    long write(int fd, Pointer bytes, @size_t long length);

    @ssize_t
    long write(int fd, @In byte[] bytes, @size_t long length);

    int open(String path, int flags);

    int close(int fd);

    int setns(int fd, int type);
  }

  static final Functions C = LibraryLoader.create(Functions.class).load("c");
  static final Runtime RUNTIME = Runtime.getRuntime(C);

  private NativeBinding() {}
}
