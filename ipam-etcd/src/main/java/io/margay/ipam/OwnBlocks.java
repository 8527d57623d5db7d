package io.margay.ipam;

import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.util.Collection;
import java.util.Collections;
import java.util.SortedSet;
import java.util.TreeSet;

/// What a node announces and black-holes: the full desired set.
///
/// @param confirmed its own blocks, claim confirmed
/// @param borrowed addresses it uses from blocks that are not its own; each is announced as a host
///   route
public record OwnBlocks(SortedSet<Prefix> confirmed, SortedSet<IpAddress> borrowed) {

  public OwnBlocks {
    confirmed = Collections.unmodifiableSortedSet(new TreeSet<>(confirmed));
    borrowed = Collections.unmodifiableSortedSet(new TreeSet<>(borrowed));
  }

  static OwnBlocks of(Collection<Prefix> confirmed, Collection<IpAddress> borrowed) {
    return new OwnBlocks(new TreeSet<>(confirmed), new TreeSet<>(borrowed));
  }
}
