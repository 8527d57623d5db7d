package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;

/// One object of the cluster's desired state.
// Kind and version are the type itself.
@JsonIgnoreProperties({"apiVersion", "kind"})
public sealed interface Resource
    permits BGPConfiguration,
        BGPFilter,
        BGPPeer,
        BlockAffinity,
        CalicoNodeStatus,
        ClusterInformation,
        EndpointSlice,
        FelixConfiguration,
        GlobalNetworkPolicy,
        GlobalNetworkSet,
        HostEndpoint,
        IPAMConfiguration,
        IPPool,
        IPReservation,
        KubeControllersConfiguration,
        LiveMigration,
        NetworkPolicy,
        NetworkSet,
        Node,
        Profile,
        StagedGlobalNetworkPolicy,
        StagedKubernetesNetworkPolicy,
        StagedNetworkPolicy,
        Tier,
        WorkloadEndpoint {

  Kind kind();

  Metadata metadata();

  /// This object with other metadata.
  Resource withMetadata(Metadata newMetadata);

  /// The object's identity.
  ///
  /// @throws IllegalArgumentException if the namespace does not fit the kind
  default ResourceRef ref() {
    return new ResourceRef(kind(), metadata().namespaceOrEmpty(), metadata().name());
  }
}
