package io.margay.bgp.transport;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// TCP segments the kernel dropped because of their MD5 signature: the one trace a wrong key
/// leaves, for the segments themselves vanish. The counts are of the whole network namespace, so
/// they can explain why a session does not come up but not prove it; other users of MD5 there count
/// too.
///
/// @param unsigned without a signature where a key is set (`TCPMD5NotFound`)
/// @param unexpected with a signature where no key is set (`TCPMD5Unexpected`)
/// @param wrong with a signature that does not fit the key (`TCPMD5Failure`)
public record Md5Drops(long unsigned, long unexpected, long wrong) {

  /// Of the calling thread's network namespace, which is that of the process.
  private static final Path NETSTAT = Path.of("/proc/thread-self/net/netstat");

  private static final String GROUP = "TcpExt:";

  /// The counts since the namespace began.
  ///
  /// @throws IOException when the kernel does not tell
  public static Md5Drops read() throws IOException {
    return parse(Files.readAllLines(NETSTAT));
  }

  /// Lines come in pairs: the names of a group, then their values.
  static Md5Drops parse(List<String> netstat) throws IOException {
    for (int i = 0; i + 1 < netstat.size(); i++) {
      if (netstat.get(i).startsWith(GROUP) && netstat.get(i + 1).startsWith(GROUP)) {
        List<String> names = List.of(netstat.get(i).split(" "));
        List<String> values = List.of(netstat.get(i + 1).split(" "));
        return new Md5Drops(
            value(names, values, "TCPMD5NotFound"),
            value(names, values, "TCPMD5Unexpected"),
            value(names, values, "TCPMD5Failure"));
      }
    }
    throw new IOException(NETSTAT + " has no TcpExt counters");
  }

  private static long value(List<String> names, List<String> values, String name)
      throws IOException {
    int index = names.indexOf(name);
    if (index < 0 || index >= values.size()) {
      throw new IOException(NETSTAT + " has no counter " + name);
    }
    try {
      return Long.parseLong(values.get(index));
    } catch (NumberFormatException notANumber) {
      throw new IOException(
          NETSTAT + ": " + name + " is \"" + values.get(index) + "\"", notANumber);
    }
  }

  /// What was dropped between an earlier reading and this one.
  public Md5Drops since(Md5Drops earlier) {
    return new Md5Drops(
        unsigned - earlier.unsigned, unexpected - earlier.unexpected, wrong - earlier.wrong);
  }

  /// All of them.
  public long total() {
    return unsigned + unexpected + wrong;
  }

  /// As a reason for people, with what to look at; empty when nothing was dropped.
  public String reason() {
    if (total() == 0) {
      return "";
    }
    StringBuilder text = new StringBuilder("TCP MD5 dropped ");
    String separator = "";
    for (Kind kind :
        List.of(
            new Kind(wrong, "signed with another password"),
            new Kind(unsigned, "without signature where a password is set here"),
            new Kind(unexpected, "with a signature where no password is set here"))) {
      if (kind.count > 0) {
        text.append(separator).append(kind.count).append(" segments ").append(kind.what);
        separator = ", ";
      }
    }
    return text.append(" (all peers of this network namespace together)").toString();
  }

  private record Kind(long count, String what) {}
}
