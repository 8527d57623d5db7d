package io.margay.policy;

/// An inclusive range of TCP, UDP or SCTP ports.
public record PortRange(int first, int last) implements Comparable<PortRange> {

  public PortRange {
    if (first < 0 || last > 65535 || first > last) {
      throw new IllegalArgumentException("port range " + first + ":" + last + " is not in 0:65535");
    }
  }

  public static PortRange of(int port) {
    return new PortRange(port, port);
  }

  public boolean contains(int port) {
    return first <= port && port <= last;
  }

  @Override
  public int compareTo(PortRange other) {
    int byFirst = Integer.compare(first, other.first);
    return byFirst != 0 ? byFirst : Integer.compare(last, other.last);
  }

  @Override
  public String toString() {
    return first == last ? Integer.toString(first) : first + ":" + last;
  }
}
