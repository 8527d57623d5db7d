package io.margay.ipam;

import io.margay.model.net.IpAddress;
import java.util.Optional;
import java.util.OptionalLong;

/// One address to free.
///
/// @param handleId free it only if this handle holds it
/// @param sequenceNumber free it only if it was assigned at this number: what tells today's holder
///   from yesterday's
public record Release(IpAddress address, Optional<String> handleId, OptionalLong sequenceNumber) {}
