package io.margay.linux.nft;

/// Where a base chain sits in the packet's way. Its policy is always accept: what must be dropped
/// is dropped by a rule that says why.
///
/// @param type what the chain may do
/// @param point the hook
/// @param priority lower comes first; odd numbers stay clear of other tools' chains
public record NftHook(Type type, Point point, int priority) {

  public enum Type {
    FILTER("filter"),
    NAT("nat");

    private final String text;

    Type(String text) {
      this.text = text;
    }

    String text() {
      return text;
    }
  }

  /// `enum nf_inet_hooks` of linux/netfilter.h.
  public enum Point {
    PREROUTING(0, "prerouting"),
    INPUT(1, "input"),
    FORWARD(2, "forward"),
    OUTPUT(3, "output"),
    POSTROUTING(4, "postrouting");

    private final int number;
    private final String text;

    Point(int number, String text) {
      this.number = number;
      this.text = text;
    }

    int number() {
      return number;
    }

    String text() {
      return text;
    }
  }

  @Override
  public String toString() {
    return "type " + type.text() + " hook " + point.text() + " priority " + priority;
  }
}
