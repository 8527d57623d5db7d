package io.margay.linux.route;

import java.util.List;

/// A next hop, or a group of them, that the kernel keeps under a number and that routes refer to
/// (`ip nexthop`).
public sealed interface NextHopObject {

  /// Unique in the namespace; 1 to 2^32-1, as the bits of an int.
  int id();

  /// Who made it, as of a [Route].
  int protocol();

  /// One way out. The kernel removes it, without a word, with the device or with its carrier.
  ///
  /// @param hop has a device; its weight is 1
  record Single(int id, int protocol, NextHop hop) implements NextHopObject {
    public Single {
      if (hop.index() == 0 || hop.weight() != 1) {
        throw new IllegalArgumentException("next hop object " + hop + " needs a device, no weight");
      }
    }

    @Override
    public String toString() {
      return text(id) + " " + hop;
    }
  }

  /// Several ways out. The kernel takes members out that it removes; the last one takes the group
  /// and all routes over it along.
  ///
  /// @param members at least one
  record Group(int id, int protocol, GroupKind kind, List<Member> members)
      implements NextHopObject {
    public Group {
      members = List.copyOf(members);
      if (members.isEmpty()) {
        throw new IllegalArgumentException("group " + text(id) + " has no member");
      }
    }

    @Override
    public String toString() {
      return text(id) + " group " + members;
    }
  }

  /// @param id of a [Single]
  /// @param weight share among the members, 1 to 256
  record Member(int id, int weight) {
    @Override
    public String toString() {
      return text(id) + (weight == 1 ? "" : " weight " + weight);
    }
  }

  /// As `ip nexthop` prints and takes it.
  static String text(int id) {
    return Integer.toUnsignedString(id);
  }
}
