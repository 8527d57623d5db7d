package io.margay.policy;

/// What a set's members are made of; fixed for the life of a [SetId].
public enum SetKind {
  /// [SetMember.Net] members: addresses of endpoints, also of services, and prefixes of network
  /// sets.
  NETS,
  /// [SetMember.NamedPort] members: named ports of endpoints, and ports of services.
  NAMED_PORTS
}
