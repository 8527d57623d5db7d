package io.margay.model.resource;

import java.util.List;

/// What an update must leave as it is.
public final class ResourceChange {

  private ResourceChange() {}

  /// Why `wanted` can't take the place of `before`; empty = it may. Both are valid in themselves.
  ///
  /// @throws IllegalArgumentException if they are not the same object's
  public static List<FieldError> refusals(Resource before, Resource wanted) {
    if (!before.ref().equals(wanted.ref())) {
      throw new IllegalArgumentException(wanted.ref() + " can't replace " + before.ref());
    }
    FieldErrors errors = new FieldErrors();
    String uid = wanted.metadata().uid();
    errors.unless(
        uid == null || uid.isEmpty() || uid.equals(before.metadata().uid()),
        "metadata.uid",
        uid + " is another object of this name; the stored one is " + before.metadata().uid());
    if (before instanceof IPPool pool && wanted instanceof IPPool newPool) {
      pool(pool.spec(), newPool.spec(), errors);
    }
    if (before instanceof BlockAffinity affinity && wanted instanceof BlockAffinity newAffinity) {
      errors.unless(affinity.spec().equals(newAffinity.spec()), "spec", "never changes");
    }
    return errors.found();
  }

  private static void pool(IPPoolSpec before, IPPoolSpec wanted, FieldErrors errors) {
    errors.unless(
        before.cidr().equals(wanted.cidr()), "spec.cidr", "never changes; it is " + before.cidr());
    errors.unless(
        before.effectiveBlockSize() == wanted.effectiveBlockSize(),
        "spec.blockSize",
        "never changes; it is " + before.effectiveBlockSize());
    errors.unless(
        !before.effectiveAllowedUses().contains(PoolUse.LOAD_BALANCER)
            || wanted.effectiveAllowedUses().contains(PoolUse.LOAD_BALANCER),
        "spec.allowedUses",
        "never changes from LoadBalancer to another use");
  }
}
