package io.margay.cni.journal;

import io.margay.model.net.IpAddress;
import java.util.List;

/// What is true of an attachment, as far as this node knows.
public sealed interface JournalEntry {

  Attachment attachment();

  /// The boot in which it was written; namespaces do not survive a reboot.
  String bootId();

  /// Work on it has begun: addresses may be held under its handle, and a veth may exist. Never
  /// answered to a runtime.
  record Prepared(Attachment attachment, String bootId) implements JournalEntry {}

  /// It is complete.
  ///
  /// @param addresses what it got, IPv4 first
  record Committed(Attachment attachment, String bootId, List<IpAddress> addresses)
      implements JournalEntry {
    public Committed {
      addresses = List.copyOf(addresses);
    }
  }

  /// It is gone from the kernel, DEL has been answered, and its addresses still have to be given
  /// back.
  record Releasing(Attachment attachment, String bootId) implements JournalEntry {}
}
