package io.margay.policy;

import org.jspecify.annotations.Nullable;

/// An ICMP or ICMPv6 type, and optionally code.
public record IcmpMatch(int type, @Nullable Integer code) {}
