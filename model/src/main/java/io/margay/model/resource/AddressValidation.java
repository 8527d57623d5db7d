package io.margay.model.resource;

import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.selector.Selector;
import java.util.Set;

/// What Calico demands of pools and of the rules of address assignment.
final class AddressValidation {

  /// Longest rest of a released address, in seconds.
  static final int MAX_IP_COOLDOWN_SECONDS = 1200;

  private static final Prefix IPV4_LINK_LOCAL = Prefix.parse("169.254.0.0/16");
  private static final Prefix IPV6_LINK_LOCAL = Prefix.parse("fe80::/10");

  private AddressValidation() {}

  static void ipam(IPAMConfigurationSpec spec, FieldErrors errors) {
    errors.range(spec.ipCooldownSeconds(), 0, MAX_IP_COOLDOWN_SECONDS, "spec.ipCooldownSeconds");
    errors.range(spec.maxBlocksPerHost(), 0, Integer.MAX_VALUE, "spec.maxBlocksPerHost");
    errors.oneOf(
        spec.kubeVirtVMAddressPersistence(),
        Set.of("Enabled", "Disabled"),
        "spec.kubeVirtVMAddressPersistence");
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

  static void pool(IPPoolSpec spec, FieldErrors errors) {
    Prefix cidr = spec.cidr();
    Prefix linkLocal = cidr.family() == IpFamily.IPV4 ? IPV4_LINK_LOCAL : IPV6_LINK_LOCAL;
    errors.unless(!linkLocal.overlaps(cidr), "spec.cidr", cidr + " overlaps " + linkLocal);
    int shortest = cidr.family().bits() - 12;
    errors.range(spec.blockSize(), shortest, cidr.family().bits(), "spec.blockSize");
    errors.unless(
        spec.isDisabled() || spec.effectiveBlockSize() >= cidr.length(),
        "spec.cidr",
        cidr + " is smaller than one block of /" + spec.effectiveBlockSize());
    boolean ipip = spec.effectiveIpipMode() != EncapsulationMode.NEVER;
    boolean vxlan = spec.effectiveVxlanMode() != EncapsulationMode.NEVER;
    errors.unless(!ipip || !vxlan, "spec.vxlanMode", "can't be combined with ipipMode");
    errors.unless(
        !ipip || cidr.family() == IpFamily.IPV4, "spec.ipipMode", "is for IPv4 pools only");
    errors.distinct(spec.allowedUses(), "spec.allowedUses");
    if (spec.allowedUses().contains(PoolUse.LOAD_BALANCER)) {
      loadBalancer(spec, ipip || vxlan, errors);
    }
    PolicyValidation.selector(spec.nodeSelector(), "spec.nodeSelector", errors);
    PolicyValidation.selector(spec.namespaceSelector(), "spec.namespaceSelector", errors);
  }

  /// Addresses of services belong to no node, so nothing about nodes applies to them.
  private static void loadBalancer(IPPoolSpec spec, boolean wrapped, FieldErrors errors) {
    errors.unless(
        spec.allowedUses().size() == 1,
        "spec.allowedUses",
        "LoadBalancer can't be combined with other uses");
    errors.unless(
        !wrapped,
        spec.effectiveIpipMode() == EncapsulationMode.NEVER ? "spec.vxlanMode" : "spec.ipipMode",
        "must be Never with allowedUses LoadBalancer");
    errors.unless(
        !spec.isBgpExportDisabled(),
        "spec.disableBGPExport",
        "must be false with allowedUses LoadBalancer");
    errors.unless(
        spec.effectiveNodeSelector().canonical().equals(Selector.ALL.canonical()),
        "spec.nodeSelector",
        "must be all() with allowedUses LoadBalancer");
  }
}
