package io.margay.bgp.codec;

import io.margay.bgp.message.Octets;

/// A malformed attribute.
///
/// @param code its type
/// @param problem what is wrong, for a log
/// @param value its octets as received
public record AttributeError(int code, String problem, Octets value) {}
