package io.margay.cni;

import io.margay.cni.spec.CniError;
import java.util.Optional;

/// What STATUS answers: whether an ADD would succeed now. Runtimes ask every few seconds.
@FunctionalInterface
public interface Readiness {

  /// Whose addresses an ADD would give.
  enum Source {
    /// Ours, for a wire of ours.
    OURS,
    /// Ours, for another plugin's wire: the reserve has none for those.
    LEASED,
    /// Another plugin's.
    FOREIGN
  }

  /// @param wish what an ADD of this configuration would want of our IPAM; nothing where the
  ///   addresses are another plugin's
  /// @return empty when an ADD would succeed, else an error of code 50 or 51
  Optional<CniError> trouble(Source source, PodAddresses.Wish wish);
}
