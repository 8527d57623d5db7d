package io.margay.ipam;

import io.margay.ipam.IpamKeys.AffinityKey;
import io.margay.ipam.Operation.Read;
import io.margay.ipam.Operation.Step;
import io.margay.ipam.Operation.View;
import java.util.List;
import java.util.Optional;

/// What becomes of a block some of whose addresses were just freed: usually it stays; nobody's goes
/// when its last address does, for no node can claim it; and one whose pool no longer selects its
/// owner goes too, with the claim.
final class Freed {

  private Freed() {}

  /// Plans the fate of `block`.
  ///
  /// @return what must be read first, if anything
  static Optional<Step> settle(View view, Plan plan, Block block) {
    if (!block.isWhollyFree()) {
      plan.put(block);
      return Optional.empty();
    }
    Optional<String> owner = block.owner();
    if (owner.isEmpty()) {
      plan.delete(block.cidr());
      return Optional.empty();
    }
    if (!view.pools().isDeselected(owner.get(), block.cidr())) {
      plan.put(block);
      return Optional.empty();
    }
    if (!plan.knowsClaim(owner.get(), block.cidr())) {
      return Optional.of(
          new Step.Needs(new Read.Keys(List.of(IpamKeys.affinity(owner.get(), block.cidr())))));
    }
    if (plan.cache().isUnreadable(new AffinityKey(owner.get(), block.cidr()))) {
      plan.put(block);
    } else {
      plan.delete(block.cidr());
      plan.dropClaim(owner.get(), block.cidr());
    }
    return Optional.empty();
  }
}
