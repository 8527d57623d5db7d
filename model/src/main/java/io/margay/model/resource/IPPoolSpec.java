package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.margay.model.net.Prefix;
import io.margay.model.selector.Selector;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A pool's prefix and who may use it.
///
/// @param cidr never changes
/// @param ipipMode null = Never
/// @param vxlanMode null = Never
/// @param natOutgoing masquerade what leaves all pools
/// @param disabled no new addresses; those given stay and are still announced
/// @param disableBGPExport not announced
/// @param blockSize prefix length of a block; never changes; null = 26 or 122
/// @param nodeSelector nodes that may use it; null = all
/// @param namespaceSelector namespaces whose pods may use it; null = all
/// @param allowedUses empty = Workload and Tunnel
/// @param assignmentMode null = Automatic
/// @param unknown fields this version has no name for, kept for the round trip
// As Calico writes them.
@JsonPropertyOrder({
  "cidr",
  "vxlanMode",
  "ipipMode",
  "natOutgoing",
  "disabled",
  "disableBGPExport",
  "blockSize",
  "nodeSelector",
  "namespaceSelector",
  "allowedUses",
  "assignmentMode"
})
public record IPPoolSpec(
    Prefix cidr,
    @Nullable EncapsulationMode ipipMode,
    @Nullable EncapsulationMode vxlanMode,
    @Nullable Boolean natOutgoing,
    @Nullable Boolean disabled,
    @Nullable Boolean disableBGPExport,
    @Nullable Integer blockSize,
    @Nullable Selector nodeSelector,
    @Nullable Selector namespaceSelector,
    List<PoolUse> allowedUses,
    @Nullable AssignmentMode assignmentMode,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  public IPPoolSpec {
    cidr = Copies.required(cidr, "cidr");
    allowedUses = Copies.list(allowedUses);
    unknown = Copies.sorted(unknown);
  }

  /// Prefix length of an IPv4 block unless given.
  public static final int DEFAULT_IPV4_BLOCK_SIZE = 26;

  /// Prefix length of an IPv6 block unless given.
  public static final int DEFAULT_IPV6_BLOCK_SIZE = 122;

  /// A pool with everything but its prefix left to the defaults.
  public static IPPoolSpec of(Prefix cidr) {
    return new IPPoolSpec(
        cidr, null, null, null, null, null, null, null, null, List.of(), null, Map.of());
  }

  public int effectiveBlockSize() {
    if (blockSize != null) {
      return blockSize;
    }
    return switch (cidr.family()) {
      case IPV4 -> DEFAULT_IPV4_BLOCK_SIZE;
      case IPV6 -> DEFAULT_IPV6_BLOCK_SIZE;
    };
  }

  public EncapsulationMode effectiveIpipMode() {
    return ipipMode == null ? EncapsulationMode.NEVER : ipipMode;
  }

  public EncapsulationMode effectiveVxlanMode() {
    return vxlanMode == null ? EncapsulationMode.NEVER : vxlanMode;
  }

  public Selector effectiveNodeSelector() {
    return nodeSelector == null ? Selector.ALL : nodeSelector;
  }

  public Selector effectiveNamespaceSelector() {
    return namespaceSelector == null ? Selector.ALL : namespaceSelector;
  }

  public List<PoolUse> effectiveAllowedUses() {
    return allowedUses.isEmpty() ? List.of(PoolUse.WORKLOAD, PoolUse.TUNNEL) : allowedUses;
  }

  public AssignmentMode effectiveAssignmentMode() {
    return assignmentMode == null ? AssignmentMode.AUTOMATIC : assignmentMode;
  }

  public boolean isNatOutgoing() {
    return Boolean.TRUE.equals(natOutgoing);
  }

  public boolean isDisabled() {
    return Boolean.TRUE.equals(disabled);
  }

  public boolean isBgpExportDisabled() {
    return Boolean.TRUE.equals(disableBGPExport);
  }

  /// Whether packets between nodes would have to be wrapped in IP, which is not done here.
  public boolean isWrappedInIp() {
    return effectiveIpipMode() != EncapsulationMode.NEVER;
  }

  /// Whether packets between nodes are wrapped in VXLAN, at least between subnets.
  public boolean isWrappedInVxlan() {
    return effectiveVxlanMode() != EncapsulationMode.NEVER;
  }

  IPPoolSpec withDefaults() {
    return new IPPoolSpec(
        cidr,
        effectiveIpipMode(),
        effectiveVxlanMode(),
        natOutgoing,
        disabled,
        disableBGPExport,
        effectiveBlockSize(),
        effectiveNodeSelector(),
        namespaceSelector,
        effectiveAllowedUses(),
        effectiveAssignmentMode(),
        unknown);
  }
}
