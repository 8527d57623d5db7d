package io.margay.ipam;

import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;

/// An address somebody holds.
///
/// @param block the block it lies in
/// @param sequenceNumber the block's sequence number at assignment; a release that names it can't
///   free the address of a later holder
/// @param borrowed whether the block belongs to another node, so that the address must be announced
///   as its own host route
public record Assignment(IpAddress address, Prefix block, long sequenceNumber, boolean borrowed) {}
