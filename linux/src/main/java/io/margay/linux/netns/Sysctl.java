package io.margay.linux.netns;

import io.margay.linux.Errno;
import io.margay.linux.LibC;
import io.margay.linux.LinuxException;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpFamily;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/// A network sysctl, by its path below `/proc/sys/net`. Which namespace it means is decided by the
/// thread that opens the file.
///
/// @param segments path segments, e.g. `ipv4 conf eth0 forwarding`; interface names may hold dots
public record Sysctl(List<String> segments) {

  private static final Path ROOT = Path.of("/proc/sys/net");
  private static final Pattern SEGMENT = Pattern.compile("[^/\\s\\p{Cntrl}]{1,64}");

  public Sysctl {
    segments = List.copyOf(segments);
    if (segments.size() < 2) {
      throw new IllegalArgumentException("a network sysctl has at least two segments: " + segments);
    }
    for (String segment : segments) {
      if (!SEGMENT.matcher(segment).matches() || segment.equals(".") || segment.equals("..")) {
        throw new IllegalArgumentException("\"" + segment + "\" in " + segments);
      }
    }
  }

  /// From the path below `/proc/sys/net`: `ipv4/ip_forward`.
  public static Sysctl of(String path) {
    return new Sysctl(List.of(path.split("/", -1)));
  }

  /// A setting of one interface: `/proc/sys/net/ipvN/conf/NAME/KEY`.
  public static Sysctl ofInterface(IpFamily family, InterfaceName name, String key) {
    return new Sysctl(List.of("ipv" + family.version(), "conf", name.value(), key));
  }

  private Path path() {
    return ROOT.resolve(String.join("/", segments));
  }

  /// Sets it in the calling thread's namespace.
  public void write(String value) throws LinuxException {
    String path = path().toString();
    try {
      int fd = LibC.open(path, LibC.O_WRONLY | LibC.O_CLOEXEC);
      try {
        LibC.write(fd, (value + "\n").getBytes(StandardCharsets.US_ASCII));
      } finally {
        LibC.close(fd);
      }
    } catch (LinuxException e) {
      throw new LinuxException("set sysctl", path + " = " + value, e.errno());
    }
  }

  /// Its value in the calling thread's namespace, trimmed.
  public String read() throws LinuxException {
    try {
      return Files.readString(path()).strip();
    } catch (IOException e) {
      throw failed(path().toString(), e);
    }
  }

  private static LinuxException failed(String object, IOException cause) {
    Errno errno = cause instanceof NoSuchFileException ? Errno.ENOENT : Errno.EINVAL;
    LinuxException failure =
        new LinuxException("read sysctl", object + " (" + cause.getMessage() + ")", errno);
    failure.initCause(cause);
    return failure;
  }

  @Override
  public String toString() {
    return "net." + String.join(".", segments);
  }
}
