package io.margay.bgp.fsm;

import java.util.List;

/// The answer to an event.
public record Transition(SessionState next, List<SessionAction> actions) {
  public Transition {
    actions = List.copyOf(actions);
  }
}
