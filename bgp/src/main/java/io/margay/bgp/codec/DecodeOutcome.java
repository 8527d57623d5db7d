package io.margay.bgp.codec;

import io.margay.bgp.message.Message;
import io.margay.bgp.message.Notification;
import io.margay.bgp.message.Update;
import java.util.List;

/// What became of a received message (RFC 7606 §2).
public sealed interface DecodeOutcome {

  /// Nothing was wrong.
  record Accepted(Message message) implements DecodeOutcome {}

  /// Some attributes were left out; the routes stand.
  record AttributeDiscard(Update update, List<AttributeError> errors) implements DecodeOutcome {
    public AttributeDiscard {
      errors = List.copyOf(errors);
    }
  }

  /// The announced routes are withdrawn instead.
  record TreatAsWithdraw(Update withdrawal, List<AttributeError> errors) implements DecodeOutcome {
    public TreatAsWithdraw {
      errors = List.copyOf(errors);
    }
  }

  /// The session cannot go on.
  record SessionReset(Notification notification, String problem) implements DecodeOutcome {}
}
