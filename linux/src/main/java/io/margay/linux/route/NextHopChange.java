package io.margay.linux.route;

/// One write to the kernel's next-hop objects.
public sealed interface NextHopChange {

  /// Of what is written.
  int id();

  /// Makes an object; refused with EEXIST when its number is taken, by whomever.
  record Add(NextHopObject object) implements NextHopChange {
    @Override
    public int id() {
      return object.id();
    }
  }

  /// Changes an object, and with it the way of all routes that refer to it, in one step; refused
  /// with ENOENT when there is none. A group keeps its kind.
  record Replace(NextHopObject object) implements NextHopChange {
    @Override
    public int id() {
      return object.id();
    }
  }

  /// Removes an object, and with it the routes that refer to it. Absent is success.
  record Delete(int id) implements NextHopChange {}
}
