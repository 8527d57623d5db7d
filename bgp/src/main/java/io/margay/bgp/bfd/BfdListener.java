package io.margay.bgp.bfd;

/// Hears of sessions. Called on `bgp-bfd`: it must return at once.
@FunctionalInterface
public interface BfdListener {
  void onChange(BfdPeer peer, BfdChange change);
}
