package io.margay.cni;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.Duty;
import io.margay.cni.spec.CniException;
import io.margay.cni.spec.CniVerb;
import io.margay.cni.spec.Dns;

/// Gives back what an attachment holds outside the kernel, whatever its duty. Repeating it is
/// harmless.
final class Release {

  private final PodAddresses addresses;
  private final Delegates delegates;

  Release(PodAddresses addresses, Delegates delegates) {
    this.addresses = addresses;
    this.delegates = delegates;
  }

  /// Where two are owed something, each gets it whatever becomes of the other.
  ///
  /// @throws CniException somebody is away; the caller journals and repeats
  void run(Attachment attachment) throws CniException {
    switch (attachment.duty()) {
      case Duty.Whole _, Duty.Addresses _, Duty.Stepwise _ -> addresses.release(attachment);
      case Duty.Policed(boolean overAddresses) -> {
        if (overAddresses) {
          addresses.release(attachment);
        } else {
          addresses.withdraw(attachment);
        }
      }
      case Duty.Delegated(Duty.Delegate delegate, Dns _) -> {
        try {
          own(attachment);
        } finally {
          delegates.run(CniVerb.DEL, delegate, attachment);
        }
      }
    }
  }

  /// The cluster's part of what an attachment over another IPAM holds.
  ///
  /// @throws CniException as [#run]
  void own(Attachment attachment) throws CniException {
    addresses.release(attachment);
  }
}
