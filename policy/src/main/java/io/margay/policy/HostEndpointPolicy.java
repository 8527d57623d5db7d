package io.margay.policy;

import io.margay.model.resource.PolicyType;
import java.util.List;

/// Everything the kernel needs to police one host endpoint.
///
/// Per stage and direction: tiers in order. In [HostStage#NORMAL] profiles follow in order, and
/// nothing matched = deny; elsewhere what the tiers leave open goes on.
///
/// @param where which interfaces
/// @param untracked before connection tracking
/// @param preDnat before destination NAT
/// @param normal to and from processes of the node
/// @param forwarded through the node
/// @param profiles profile names; one without a [PolicyUpdate.ProfileUpdated] denies
public record HostEndpointPolicy(
    HostInterface where,
    Tiers untracked,
    List<TierPolicies> preDnat,
    Tiers normal,
    Tiers forwarded,
    List<String> profiles) {

  /// The tiers of both directions.
  ///
  /// @param ingress for packets that come in by the interface
  /// @param egress for packets that leave by it
  public record Tiers(List<TierPolicies> ingress, List<TierPolicies> egress) {

    /// No policy applies.
    public static final Tiers NONE = new Tiers(List.of(), List.of());

    public Tiers {
      ingress = List.copyOf(ingress);
      egress = List.copyOf(egress);
    }
  }

  public HostEndpointPolicy {
    preDnat = List.copyOf(preDnat);
    profiles = List.copyOf(profiles);
  }

  /// The tiers of one stage and direction.
  public List<TierPolicies> tiers(HostStage stage, PolicyType direction) {
    Tiers both =
        switch (stage) {
          case UNTRACKED -> untracked;
          case PRE_DNAT -> new Tiers(preDnat, List.of());
          case NORMAL -> normal;
          case FORWARDED -> forwarded;
        };
    return switch (direction) {
      case INGRESS -> both.ingress();
      case EGRESS -> both.egress();
    };
  }
}
