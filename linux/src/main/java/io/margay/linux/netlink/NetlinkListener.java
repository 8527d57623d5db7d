package io.margay.linux.netlink;

import io.margay.linux.Errno;
import io.margay.linux.LibC;
import io.margay.linux.LinuxException;
import io.margay.linux.NativeBuffer;
import io.margay.linux.netns.Netns;
import java.util.List;
import java.util.OptionalInt;

/// Receives the notifications of multicast groups, on a reader thread of its own. The kernel does
/// not wait for a slow reader: what does not fit the socket's buffer is lost, and the reader is
/// told that something was.
public final class NetlinkListener implements AutoCloseable {

  /// Groups of [NetlinkSocket#ROUTE] (`enum rtnetlink_groups`).
  public static final int RTNLGRP_LINK = 1;

  public static final int RTNLGRP_NEIGH = 3;
  public static final int RTNLGRP_IPV4_IFADDR = 5;
  public static final int RTNLGRP_IPV4_ROUTE = 7;
  public static final int RTNLGRP_IPV6_IFADDR = 9;
  public static final int RTNLGRP_IPV6_ROUTE = 11;

  /// Linux 5.3; joining it is refused where there is none.
  public static final int RTNLGRP_NEXTHOP = 32;

  /// Where notifications go. Called on the reader thread: hand over to the owning loop and return.
  public interface Events {
    void onMessage(NetlinkMessage message);

    /// Notifications were lost: whoever keeps state from them reads the kernel again. Told when it
    /// is noticed, and again when nothing more is being lost.
    void onOverrun();

    /// The socket failed; nothing more will come.
    void onFailure(LinuxException cause);
  }

  private static final int SOL_NETLINK = 270;
  private static final int NETLINK_ADD_MEMBERSHIP = 1;
  private static final int RECEIVE_OCTETS = 256 << 10;
  private static final long[] EVERYTHING = {NoticeFilter.keep()};

  private final int fd;
  private final int wakeFd;
  private final Events events;
  private final NetlinkMessage about;
  private final Thread reader;
  private volatile boolean isClosed;

  private NetlinkListener(String name, int fd, int wakeFd, Events events) {
    this.fd = fd;
    this.wakeFd = wakeFd;
    this.events = events;
    about = new MessageBuilder(0, 0, "listen to", name).build();
    reader = Thread.ofPlatform().name("netlink-" + name).daemon().unstarted(this::read);
  }

  /// Listens in the namespace behind `netnsFd`. Call it from an ordinary thread, not from inside
  /// [Netns#callIn]: the reader thread inherits the caller's namespace.
  public static NetlinkListener start(
      String name, int netnsFd, int protocol, List<Integer> groups, Events events)
      throws LinuxException {
    return start(name, netnsFd, protocol, EVERYTHING, groups, events);
  }

  /// The same with a filter.
  ///
  /// @param filter instructions of [NoticeFilter]
  public static NetlinkListener start(
      String name, int netnsFd, int protocol, long[] filter, List<Integer> groups, Events events)
      throws LinuxException {
    int fd = Netns.callIn(netnsFd, () -> NetlinkSocket.openDescriptor(protocol));
    return listen(name, fd, filter, groups, events);
  }

  /// Listens in the calling thread's namespace.
  public static NetlinkListener start(
      String name, int protocol, List<Integer> groups, Events events) throws LinuxException {
    return start(name, protocol, EVERYTHING, groups, events);
  }

  /// Listens in the calling thread's namespace to what a filter keeps.
  ///
  /// @param filter instructions of [NoticeFilter]
  public static NetlinkListener start(
      String name, int protocol, long[] filter, List<Integer> groups, Events events)
      throws LinuxException {
    return listen(name, NetlinkSocket.openDescriptor(protocol), filter, groups, events);
  }

  private static NetlinkListener listen(
      String name, int fd, long[] filter, List<Integer> groups, Events events)
      throws LinuxException {
    int wakeFd;
    try {
      LibC.attachFilter(fd, filter);
      for (int group : groups) {
        LibC.setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group);
      }
      wakeFd = LibC.eventfd();
    } catch (LinuxException e) {
      LibC.close(fd);
      throw e;
    }
    NetlinkListener listener = new NetlinkListener(name, fd, wakeFd, events);
    listener.reader.start();
    return listener;
  }

  private void read() {
    NativeBuffer buffer = NativeBuffer.allocate(RECEIVE_OCTETS);
    try {
      while (LibC.pollReadable(-1, wakeFd, fd) != 0) {
        receive(buffer);
      }
    } catch (LinuxException e) {
      events.onFailure(e);
    }
  }

  /// Takes all that is there.
  private void receive(NativeBuffer buffer) throws LinuxException {
    boolean lost = false;
    while (!isClosed) {
      try {
        OptionalInt length = LibC.receiveNow(fd, buffer, LibC.MSG_TRUNC);
        if (length.isEmpty()) {
          break;
        }
        for (Frame frame : Frame.parse(buffer.bytes(), length.getAsInt(), about)) {
          events.onMessage(frame.toMessage(about));
        }
      } catch (LinuxException e) {
        if (!e.is(Errno.ENOBUFS) && !e.is(Errno.EBADMSG)) {
          throw e;
        }
        lost = true; // a datagram that cannot be read is as good as lost
        events.onOverrun();
      }
    }
    if (lost) {
      // Until its buffer was empty, the kernel went on dropping without another word.
      events.onOverrun();
    }
  }

  /// Stops the reader and waits for its end; nothing is delivered afterwards.
  @Override
  public void close() {
    if (isClosed) {
      return;
    }
    isClosed = true;
    try {
      LibC.signal(wakeFd);
      reader.join();
    } catch (LinuxException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return; // the reader may still use the descriptors: leaking two beats closing another's
    }
    LibC.close(wakeFd);
    LibC.close(fd);
  }
}
