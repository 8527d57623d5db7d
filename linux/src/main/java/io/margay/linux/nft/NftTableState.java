package io.margay.linux.nft;

import java.util.Collection;
import java.util.List;
import java.util.Map;

/// What one table should hold: a snapshot.
///
/// @param chains by name, base chains among them
/// @param sets every declared set with its elements
public record NftTableState(
    NftTableName table, List<NftChain> chains, Map<NftSet, Collection<NftElement>> sets) {}
