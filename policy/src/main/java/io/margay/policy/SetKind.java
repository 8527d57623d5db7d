package io.margay.policy;

/// What a set's members are made of; fixed for the life of a [SetId].
public enum SetKind {
  /// [SetMember.Net] members: addresses of endpoints and prefixes of network sets.
  NETS,
  /// [SetMember.NamedPort] members.
  NAMED_PORTS
}
