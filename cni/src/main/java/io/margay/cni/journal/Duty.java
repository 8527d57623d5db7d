package io.margay.cni.journal;

import io.margay.cni.spec.Dns;

/// What we do for an attachment, and so what DEL has to take back.
public sealed interface Duty {

  /// We make its wire, give it addresses of this cluster, and police it.
  record Whole() implements Duty {}

  /// We make its wire and police it; its addresses are another plugin's.
  ///
  /// @param delegate how that plugin was asked
  /// @param dns what it answered of the pod's resolver: a repeated ADD answers the same
  record Delegated(Delegate delegate, Dns dns) implements Duty {}

  /// We only give it addresses, as the `ipam` of another plugin. There is no wire and no endpoint;
  /// the pod's namespace is the one sign that it lives.
  record Addresses() implements Duty {}

  /// We only police the interface that a plugin before us in the chain made. The host end's name is
  /// its, and so are the addresses.
  ///
  /// @param overAddresses whether that plugin has its addresses from us: the attachment goes back
  ///   to {@link Addresses} then
  record Policed(boolean overAddresses) implements Duty {}

  /// We do all of it, but one by one, as Docker's libnetwork asks for it.
  ///
  /// @param step how far it has come
  record Stepwise(Step step) implements Duty {}

  /// How far an endpoint of libnetwork has come. Each step leads to the next one and back.
  enum Step {
    /// It has addresses.
    LEASED,
    /// The runtime has told whose they are.
    CREATED,
    /// It has a wire, and is policed.
    JOINED
  }

  /// The request that another IPAM plugin was given, complete: a DEL must reach it even if the
  /// runtime's configuration has changed since, or comes without environment.
  ///
  /// @param type name of its program
  /// @param path `CNI_PATH`
  /// @param args `CNI_ARGS`
  /// @param conf what it read from standard input
  record Delegate(String type, String path, String args, String conf) {}
}
