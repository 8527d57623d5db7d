package io.margay.policy.testing;

import io.margay.model.net.IpAddress;
import io.margay.policy.oracle.Flow;

/// A packet and what must become of it, written as `source > destination protocol/port: allow` (or
/// `deny`); the protocol is `tcp`, `udp`, `sctp`, `icmp` (then a type, or `type.code`) or a number.
public record Expectation(String text, Flow flow, boolean allowed) {

  public static Expectation parse(String text) {
    String[] words = text.trim().split("\\s+");
    if (words.length != 5 || !words[1].equals(">") || !words[3].endsWith(":")) {
      throw new IllegalArgumentException("not an expectation: " + text);
    }
    IpAddress source = IpAddress.parse(words[0]);
    IpAddress destination = IpAddress.parse(words[2]);
    String[] what = words[3].substring(0, words[3].length() - 1).split("/", 2);
    return new Expectation(
        text, flow(source, destination, what[0], what[1]), words[4].equals("allow"));
  }

  private static Flow flow(
      IpAddress source, IpAddress destination, String protocol, String detail) {
    return switch (protocol) {
      case "tcp" -> Flow.tcp(source, destination, Integer.parseInt(detail));
      case "udp" -> Flow.udp(source, destination, Integer.parseInt(detail));
      case "sctp" ->
          new Flow(source, destination, 132, Flow.EPHEMERAL_PORT, Integer.parseInt(detail), null);
      case "icmp" -> {
        String[] numbers = detail.split("\\.");
        int code = numbers.length > 1 ? Integer.parseInt(numbers[1]) : 0;
        yield new Flow(
            source,
            destination,
            source.toBytes().length == 4 ? 1 : 58,
            0,
            0,
            new Flow.Icmp(Integer.parseInt(numbers[0]), code));
      }
      default -> new Flow(source, destination, Integer.parseInt(protocol), 0, 0, null);
    };
  }
}
