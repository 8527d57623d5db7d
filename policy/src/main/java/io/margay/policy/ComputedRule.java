package io.margay.policy;

import io.margay.model.net.IpFamily;
import org.jspecify.annotations.Nullable;

/// A policy rule with its selectors resolved to sets: what the renderer and the oracle both read.
///
/// Given fields are ANDed. A rule whose `nets` are all of one family matches nothing of the other.
///
/// @param index position in the resource's rule list, 0-based; part of the rule's identity in
///   counters, logs and explanations
/// @param action what a match does
/// @param ipVersion null = both families
/// @param protocol IP protocol number, null = any
/// @param notProtocol any protocol but this
/// @param icmp with protocol 1 or 58 only
/// @param notIcmp with protocol 1 or 58 only
public record ComputedRule(
    int index,
    RuleAction action,
    @Nullable IpFamily ipVersion,
    @Nullable Integer protocol,
    @Nullable Integer notProtocol,
    @Nullable IcmpMatch icmp,
    @Nullable IcmpMatch notIcmp,
    PeerMatch source,
    PeerMatch destination) {}
