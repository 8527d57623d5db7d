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
        delegates.run(CniVerb.DEL, delegate, attachment);
        addresses.release(attachment);
      }
    }
  }
}
