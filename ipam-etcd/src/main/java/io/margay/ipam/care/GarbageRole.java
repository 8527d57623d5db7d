package io.margay.ipam.care;

import java.util.Optional;
import java.util.Set;

/// Whose garbage somebody may judge.
///
/// @param witness what its own node's agent sees; empty for who runs on no node
/// @param judgesVanished whether it judges nodes that are gone: one of all does
/// @param declaredGone nodes of which a person says that they are gone for good
public record GarbageRole(
    Optional<NodeWitness> witness, boolean judgesVanished, Set<String> declaredGone) {

  public GarbageRole {
    declaredGone = Set.copyOf(declaredGone);
  }
}
