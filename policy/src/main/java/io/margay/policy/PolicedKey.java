package io.margay.policy;

/// The identity of something on this node that policies select.
sealed interface PolicedKey permits EndpointKey, HostEndpointKey {}
