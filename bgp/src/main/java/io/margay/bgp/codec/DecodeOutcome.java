package io.margay.bgp.codec;

import io.margay.bgp.message.Message;
import io.margay.bgp.message.Notification;
import io.margay.bgp.message.Octets;
import io.margay.bgp.message.Update;
import java.util.List;

/// What became of a received message (RFC 7606 §2).
public sealed interface DecodeOutcome {

  /// Nothing was wrong.
  record Accepted(Message message) implements DecodeOutcome {}

  /// Something was wrong.
  sealed interface Malformed extends DecodeOutcome {

    /// How much of a malformed message is kept to be shown.
    int MAX_SAMPLE_OCTETS = 512;

    /// The message as received, up to {@link #MAX_SAMPLE_OCTETS}.
    Octets sample();

    /// What was wrong, the first where there is more.
    String problem();

    /// The message in hex digits, as far as it is kept.
    default String hex() {
      return sample().toString();
    }
  }

  /// Some attributes were left out; the routes stand.
  ///
  /// @param errors at least one
  record AttributeDiscard(Update update, List<AttributeError> errors, Octets sample)
      implements Malformed {
    public AttributeDiscard {
      errors = List.copyOf(errors);
    }

    @Override
    public String problem() {
      return errors.getFirst().problem();
    }
  }

  /// The announced routes are withdrawn instead.
  ///
  /// @param errors at least one
  record TreatAsWithdraw(Update withdrawal, List<AttributeError> errors, Octets sample)
      implements Malformed {
    public TreatAsWithdraw {
      errors = List.copyOf(errors);
    }

    @Override
    public String problem() {
      return errors.getFirst().problem();
    }
  }

  /// The session cannot go on.
  record SessionReset(Notification notification, String problem, Octets sample)
      implements Malformed {}
}
