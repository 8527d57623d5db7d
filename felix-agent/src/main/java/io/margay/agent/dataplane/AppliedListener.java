package io.margay.agent.dataplane;

import io.margay.policy.PolicyUpdate;

/// Told, on the dataplane loop, what is to be enforced and when the kernel enforces it.
public interface AppliedListener {

  /// For nobody.
  AppliedListener NONE =
      new AppliedListener() {
        @Override
        public void onUpdate(PolicyUpdate update) {}

        @Override
        public void onApplied() {}

        @Override
        public void onHostsMoved() {}

        @Override
        public void onRepaired() {}
      };

  /// A step of the desired state; the kernel does not have it yet.
  void onUpdate(PolicyUpdate update);

  /// Host endpoints may stand for other interfaces than before, or failsafe ports have changed; the
  /// kernel does not have it yet.
  void onHostsMoved();

  /// The kernel enforces every step so far. Comes after each batch of the loop, whether it brought
  /// steps or not.
  void onApplied();

  /// Others had changed the kernel's rules and they are as they should be again: connections may be
  /// open that no rule would have let begin. [#onApplied] comes next.
  void onRepaired();
}
