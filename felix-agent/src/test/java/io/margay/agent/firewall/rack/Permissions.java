package io.margay.agent.firewall.rack;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/// Which cells each state allows, and which states may be in force: the last one known to be, and
/// those that have been begun since. Written by whoever changes the kernel, read by the prober.
///
/// A packet meets the source's egress first and the destination's ingress after it; a transaction
/// may come between, so each of them may be of another state, but time does not run backwards.
final class Permissions {

  /// @param egress by the cell's number
  /// @param ingress by the cell's number
  /// @param description for a failure
  record State(BitSet egress, BitSet ingress, String description) {}

  private volatile List<State> states;
  private volatile int begun;
  private volatile int inForce;

  Permissions(State first) {
    states = List.of(first);
  }

  /// From now on the next state may be in force.
  void begin(State next) {
    List<State> longer = new ArrayList<>(states);
    longer.add(next);
    states = List.copyOf(longer);
    begun = longer.size() - 1;
  }

  /// From now on the state begun last is in force, and no earlier one.
  void settle() {
    inForce = begun;
  }

  /// The oldest state a packet that is sent now can meet.
  int oldest() {
    return inForce;
  }

  /// The newest state a packet that has arrived can have met.
  int newest() {
    return begun;
  }

  boolean allow(int cell, int oldest, int newest) {
    List<State> all = states;
    boolean left = false;
    for (int state = oldest; state <= newest; state++) {
      left |= all.get(state).egress().get(cell);
      if (left && all.get(state).ingress().get(cell)) {
        return true;
      }
    }
    return false;
  }

  String describe(int oldest, int newest) {
    StringBuilder text = new StringBuilder();
    for (int state = oldest; state <= newest; state++) {
      text.append("\n  state ").append(state).append(": ").append(states.get(state).description());
    }
    // Fields that are not given say nothing.
    return text.toString().replaceAll("\\w+=(null|\\[\\]|\\{\\}), ?", "");
  }
}
