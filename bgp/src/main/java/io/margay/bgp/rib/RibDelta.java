package io.margay.bgp.rib;

import io.margay.model.net.Prefix;
import org.jspecify.annotations.Nullable;

/// A changed decision.
///
/// @param before absent: the prefix was unknown
/// @param after absent: the prefix is gone
public record RibDelta(Prefix prefix, @Nullable Decision before, @Nullable Decision after) {}
