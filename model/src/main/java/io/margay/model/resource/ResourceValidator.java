package io.margay.model.resource;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Every rule a resource must obey beyond the types of its fields. Pure; says all that is wrong,
/// not just the first thing.
public final class ResourceValidator {

  /// Longest rest of a released address, in seconds.
  public static final int MAX_IP_COOLDOWN_SECONDS = 1200;

  /// Longest time between two reports on a node, in seconds: a day.
  public static final int MAX_STATUS_PERIOD_SECONDS = 86_400;

  private static final String DEFAULT = "default";
  private static final Prefix IPV4_LINK_LOCAL = Prefix.parse("169.254.0.0/16");
  private static final Prefix IPV6_LINK_LOCAL = Prefix.parse("fe80::/10");

  private ResourceValidator() {}

  /// What is wrong with `resource`; empty = it is valid.
  public static List<FieldError> validate(Resource resource) {
    FieldErrors errors = new FieldErrors();
    metadata(resource, errors);
    switch (resource) {
      case NetworkPolicy policy -> PolicyValidation.policy(policy.spec(), false, errors);
      case GlobalNetworkPolicy policy -> PolicyValidation.policy(policy.spec(), true, errors);
      case Profile profile -> profile(profile.spec(), errors);
      case Tier tier -> tier(tier, errors);
      case BGPConfiguration configuration -> {
        defaultOrNode(configuration, errors);
        BgpValidation.configuration(configuration, errors);
      }
      case StagedNetworkPolicy policy ->
          PolicyValidation.policy(policy.spec().policy(), false, errors);
      case StagedGlobalNetworkPolicy policy ->
          PolicyValidation.policy(policy.spec().policy(), true, errors);
      case BGPFilter filter -> FilterValidation.filter(filter.spec(), errors);
      case KubeControllersConfiguration configuration -> {
        defaultOnly(configuration, errors);
        ControllersValidation.configuration(configuration.spec(), errors);
      }
      case CalicoNodeStatus status -> nodeStatus(status.spec(), errors);
      case BlockAffinity affinity -> blockAffinity(affinity.spec(), errors);
      case LiveMigration migration -> liveMigration(migration.spec(), errors);
      case BGPPeer peer -> BgpValidation.peer(peer.spec(), errors);
      case Node node -> BgpValidation.node(node.spec(), errors);
      case FelixConfiguration configuration -> defaultOrNode(configuration, errors);
      case ClusterInformation information -> defaultOnly(information, errors);
      case IPAMConfiguration configuration -> {
        defaultOnly(configuration, errors);
        ipam(configuration.spec(), errors);
      }
      case IPPool pool -> pool(pool.spec(), errors);
      case HostEndpoint endpoint -> hostEndpoint(endpoint.spec(), errors);
      case WorkloadEndpoint endpoint -> workloadEndpoint(endpoint, errors);
      // Their fields say it all.
      case NetworkSet _, GlobalNetworkSet _, IPReservation _, StagedKubernetesNetworkPolicy _ -> {}
    }
    return errors.found();
  }

  private static void metadata(Resource resource, FieldErrors errors) {
    Metadata metadata = resource.metadata();
    if (resource instanceof Tier) {
      NameRules.label(metadata.name(), "tier", "metadata.name", errors);
    } else {
      NameRules.name(metadata.name(), "metadata.name", errors);
    }
    if (!resource.kind().isNamespaced()) {
      errors.unless(
          metadata.namespaceOrEmpty().isEmpty(),
          "metadata.namespace",
          "a " + resource.kind() + " is in no namespace");
    } else if (metadata.namespaceOrEmpty().isEmpty()) {
      errors.add("metadata.namespace", "is required for a " + resource.kind());
    } else {
      NameRules.label(metadata.namespaceOrEmpty(), "namespace", "metadata.namespace", errors);
    }
    NameRules.labels(metadata.labels(), "metadata.labels", errors);
  }

  private static void defaultOnly(Resource resource, FieldErrors errors) {
    errors.unless(
        resource.metadata().name().equals(DEFAULT),
        "metadata.name",
        "the only " + resource.kind() + " is named \"default\"");
  }

  private static void defaultOrNode(Resource resource, FieldErrors errors) {
    String name = resource.metadata().name();
    errors.unless(
        name.equals(DEFAULT) || name.startsWith("node.") && name.length() > "node.".length(),
        "metadata.name",
        "a " + resource.kind() + " is named \"default\" or \"node.\" and the node's name");
  }

  private static void profile(ProfileSpec spec, FieldErrors errors) {
    PolicyValidation.rules(spec.ingress(), spec.egress(), errors);
  }

  private static void tier(Tier tier, FieldErrors errors) {
    PolicyValidation.order(tier.spec().order(), errors);
    TierSpec builtIn = ResourceDefaults.builtInTier(tier.metadata().name());
    if (builtIn != null && tier.spec().order() != null) {
      errors.unless(
          tier.spec().order().equals(builtIn.order()),
          "spec.order",
          "of tier \"" + tier.metadata().name() + "\" is always " + builtIn.order());
    }
  }

  private static void ipam(IPAMConfigurationSpec spec, FieldErrors errors) {
    errors.range(spec.ipCooldownSeconds(), 0, MAX_IP_COOLDOWN_SECONDS, "spec.ipCooldownSeconds");
    errors.range(spec.maxBlocksPerHost(), 0, Integer.MAX_VALUE, "spec.maxBlocksPerHost");
    errors.unless(
        spec.isStrictAffinity() || spec.mayAllocateBlocks(),
        "spec.autoAllocateBlocks",
        "can't be false while strictAffinity is false");
    Integer limit = spec.maxBlocksPerHost();
    errors.unless(
        limit == null || limit == 0 || spec.isStrictAffinity(),
        "spec.maxBlocksPerHost",
        "needs strictAffinity: true");
  }

  private static void pool(IPPoolSpec spec, FieldErrors errors) {
    Prefix cidr = spec.cidr();
    Prefix linkLocal = cidr.family() == IpFamily.IPV4 ? IPV4_LINK_LOCAL : IPV6_LINK_LOCAL;
    errors.unless(!linkLocal.overlaps(cidr), "spec.cidr", cidr + " overlaps " + linkLocal);
    int shortest = cidr.family().bits() - 12;
    errors.range(spec.blockSize(), shortest, cidr.family().bits(), "spec.blockSize");
    errors.unless(
        spec.effectiveBlockSize() >= cidr.length(),
        "spec.cidr",
        cidr + " is smaller than one block of /" + spec.effectiveBlockSize());
    boolean ipip = spec.effectiveIpipMode() != EncapsulationMode.NEVER;
    boolean vxlan = spec.effectiveVxlanMode() != EncapsulationMode.NEVER;
    errors.unless(!ipip || !vxlan, "spec.vxlanMode", "can't be combined with ipipMode");
    errors.unless(
        !ipip || cidr.family() == IpFamily.IPV4, "spec.ipipMode", "is for IPv4 pools only");
    errors.unless(
        spec.allowedUses().size() == 1 || !spec.allowedUses().contains(PoolUse.LOAD_BALANCER),
        "spec.allowedUses",
        "LoadBalancer can't be combined with other uses");
    PolicyValidation.selector(spec.nodeSelector(), "spec.nodeSelector", errors);
    PolicyValidation.selector(spec.namespaceSelector(), "spec.namespaceSelector", errors);
  }

  private static void nodeStatus(CalicoNodeStatusSpec spec, FieldErrors errors) {
    errors.present(spec.node(), "spec.node");
    if (spec.node() != null) {
      NameRules.name(spec.node(), "spec.node", errors);
    }
    errors.unless(!spec.classes().isEmpty(), "spec.classes", "is required");
    errors.distinct(spec.classes(), "spec.classes");
    errors.present(spec.updatePeriodSeconds(), "spec.updatePeriodSeconds");
    errors.range(
        spec.updatePeriodSeconds(), 0, MAX_STATUS_PERIOD_SECONDS, "spec.updatePeriodSeconds");
  }

  private static void blockAffinity(BlockAffinitySpec spec, FieldErrors errors) {
    errors.oneOf(spec.state(), Set.of("pending", "confirmed", "pendingDeletion"), "spec.state");
    errors.oneOf(spec.type(), Set.of("host", "virtual"), "spec.type");
    errors.oneOf(spec.deleted(), Set.of("true", "false"), "spec.deleted");
    errors.present(spec.node(), "spec.node");
  }

  private static void liveMigration(LiveMigrationSpec spec, FieldErrors errors) {
    if (spec.source() != null) {
      errors.unless(
          (spec.source().workload() == null) != (spec.source().workloadEndpoint() == null),
          "spec.Source",
          "needs either Workload or WorkloadEndpoint");
    }
    if (spec.target() != null) {
      errors.unless(
          (spec.target().selector() == null) != (spec.target().workloadEndpoint() == null),
          "spec.Target",
          "needs either Selector or WorkloadEndpoint");
      PolicyValidation.selector(spec.target().selector(), "spec.Target.Selector", errors);
    }
  }

  private static void hostEndpoint(HostEndpointSpec spec, FieldErrors errors) {
    errors.present(spec.node(), "spec.node");
    String name = spec.interfaceName();
    if (name == null || name.isEmpty()) {
      errors.unless(
          !spec.expectedIPs().isEmpty(), "spec.interfaceName", "or expectedIPs is required");
    } else {
      interfaceName(name, errors);
    }
    ports(spec.ports(), errors);
  }

  private static void interfaceName(String name, FieldErrors errors) {
    if (name.equals(HostEndpointSpec.ALL_INTERFACES)) {
      return;
    }
    try {
      new InterfaceName(name);
    } catch (IllegalArgumentException wrong) {
      errors.add("spec.interfaceName", String.valueOf(wrong.getMessage()));
    }
  }

  private static void workloadEndpoint(WorkloadEndpoint endpoint, FieldErrors errors) {
    WorkloadEndpointSpec spec = endpoint.spec();
    errors.present(spec.node(), "spec.node");
    errors.present(spec.orchestrator(), "spec.orchestrator");
    errors.present(spec.endpoint(), "spec.endpoint");
    spec.resourceName()
        .ifPresent(
            name ->
                errors.unless(
                    name.equals(endpoint.metadata().name()),
                    "metadata.name",
                    "must be \"" + name + "\", made of node, orchestrator, workload and endpoint"));
    for (int i = 0; i < spec.ipNetworks().size(); i++) {
      Prefix network = spec.ipNetworks().get(i);
      errors.unless(
          network.isHost(), "spec.ipNetworks[" + i + "]", network + " is not a single address");
    }
    if (spec.ipv4Gateway() != null) {
      errors.unless(
          spec.ipv4Gateway().family() == IpFamily.IPV4, "spec.ipv4Gateway", "is not IPv4");
    }
    if (spec.ipv6Gateway() != null) {
      errors.unless(
          spec.ipv6Gateway().family() == IpFamily.IPV6, "spec.ipv6Gateway", "is not IPv6");
    }
    ports(spec.ports(), errors);
  }

  private static void ports(List<EndpointPort> ports, FieldErrors errors) {
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < ports.size(); i++) {
      EndpointPort port = ports.get(i);
      String path = "spec.ports[" + i + "]";
      errors.range(port.port(), 1, Port.MAX, path + ".port");
      errors.range(port.hostPort(), 0, Port.MAX, path + ".hostPort");
      errors.unless(
          port.protocol().hasPorts(), path + ".protocol", port.protocol() + " has no ports");
      errors.unless(
          port.name().isEmpty() || seen.add(port.name() + "/" + port.protocol().number()),
          path + ".name",
          "\"" + port.name() + "\" is there twice for " + port.protocol());
    }
  }
}
