package io.margay.bgp.transport;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.channel.unix.Errors.NativeIoException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.StandardProtocolFamily;
import java.net.UnknownHostException;
import java.nio.channels.DatagramChannel;
import org.jspecify.annotations.Nullable;

/// Addresses and errors as sockets have them. Never resolves names.
final class Sockets {

  // asm-generic/errno-base.h, asm-generic/errno.h
  static final int EPERM = 1;
  static final int EACCES = 13;
  static final int EADDRINUSE = 98;
  static final int EADDRNOTAVAIL = 99;

  private Sockets() {}

  static SocketProtocolFamily protocol(IpFamily family) {
    return switch (family) {
      case IPV4 -> SocketProtocolFamily.INET;
      case IPV6 -> SocketProtocolFamily.INET6;
    };
  }

  /// Whether this kernel has sockets of the family.
  static boolean speaks(IpFamily family) {
    ProtocolFamily asked =
        switch (family) {
          case IPV4 -> StandardProtocolFamily.INET;
          case IPV6 -> StandardProtocolFamily.INET6;
        };
    try {
      DatagramChannel.open(asked).close();
      return true;
    } catch (IOException | UnsupportedOperationException refused) {
      return false;
    }
  }

  static IpAddress any(IpFamily family) {
    return switch (family) {
      case IPV4 -> IpAddress.parse("0.0.0.0");
      case IPV6 -> IpAddress.parse("::");
    };
  }

  /// Without a scope: sockets that need one are bound to their device by name.
  static InetSocketAddress of(IpAddress address, int port) {
    try {
      return new InetSocketAddress(InetAddress.getByAddress(address.toBytes()), port);
    } catch (UnknownHostException impossible) {
      throw new IllegalStateException("4 or 16 octets are an address", impossible);
    }
  }

  /// The kernel's error number behind a failure; 0: none is known.
  static int error(@Nullable Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof NativeIoException kernel) {
        return -kernel.expectedErr();
      }
    }
    return 0;
  }

  static String text(@Nullable Throwable failure) {
    if (failure == null) {
      return "closed";
    }
    String message = failure.getMessage();
    return message == null ? failure.getClass().getSimpleName() : message;
  }
}
