package io.margay.linux.nft;

/// A stateful object with a name (a counter, quota, limit or helper) that others put into a table
/// of ours. We make none: what our rules count and limit, they do themselves.
///
/// @param type `NFT_OBJECT_*` of linux/netfilter/nf_tables.h; names are unique within a type
public record NftObject(int type, String name) {}
