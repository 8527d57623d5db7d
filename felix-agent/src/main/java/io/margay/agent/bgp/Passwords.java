package io.margay.agent.bgp;

import io.margay.bgp.transport.Password;
import io.margay.model.resource.SecretKeyRef;

/// Where TCP MD5 keys come from. Answers at once, from what is known.
@FunctionalInterface
public interface Passwords {

  /// Knows none.
  Passwords NONE = _ -> new Answer.Missing("no passwords are read here");

  /// What is known of a password now.
  Answer find(SecretKeyRef ref);

  /// A password, or why there is none.
  sealed interface Answer {

    record Found(Password password) implements Answer {}

    /// It is being looked for.
    record Pending() implements Answer {}

    /// @param reason for people, with what to do; never any of the password
    record Missing(String reason) implements Answer {}
  }
}
