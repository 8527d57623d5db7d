package io.margay.cli.http;

import io.margay.linux.LibC;
import io.margay.model.net.IpAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/// Where HTTP is served or asked: a TCP port or a Unix socket.
public sealed interface HttpAddress {

  /// What [#parse] takes, in words.
  String EXPECTATION = "HOST:PORT with a literal address, like 127.0.0.1:9179, or unix:PATH";

  /// @param port 1 to 65535
  record Tcp(IpAddress host, int port) implements HttpAddress {
    public Tcp {
      if (port < 1 || port > 65535) {
        throw new IllegalArgumentException("port " + port + " is not in 1..65535");
      }
    }

    @Override
    public String toString() {
      return host.family().version() == 6 ? "[" + host + "]:" + port : host + ":" + port;
    }
  }

  /// @param path of the socket file; 1 to 107 octets (sys/un.h)
  record Unix(Path path) implements HttpAddress {
    public Unix {
      int octets = path.toString().getBytes(StandardCharsets.UTF_8).length;
      if (octets < 1 || octets > LibC.MAX_UNIX_PATH_OCTETS) {
        throw new IllegalArgumentException(
            "a socket's path has 1 to " + LibC.MAX_UNIX_PATH_OCTETS + " octets, not " + octets);
      }
    }

    @Override
    public String toString() {
      return SCHEME + path;
    }
  }

  /// How a Unix socket's address begins.
  String SCHEME = "unix:";

  /// Parses `127.0.0.1:9179`, `[::1]:9179`, `localhost:9179` or `unix:/run/margay/bgpd.sock`.
  /// Resolves no names.
  ///
  /// @throws IllegalArgumentException naming the text
  static HttpAddress parse(String text) {
    if (text.startsWith(SCHEME)) {
      return new Unix(Path.of(text.substring(SCHEME.length())));
    }
    int colon = text.lastIndexOf(':');
    if (colon < 0) {
      throw new IllegalArgumentException("\"" + text + "\" is not " + EXPECTATION);
    }
    String host = text.substring(0, colon);
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    } else if (host.indexOf(':') >= 0) {
      throw new IllegalArgumentException("\"" + text + "\": an IPv6 address needs brackets");
    }
    try {
      return new Tcp(
          IpAddress.parse(host.equals("localhost") ? "127.0.0.1" : host),
          Integer.parseInt(text.substring(colon + 1)));
    } catch (NumberFormatException notANumber) {
      throw new IllegalArgumentException("\"" + text + "\" is not " + EXPECTATION, notANumber);
    }
  }
}
