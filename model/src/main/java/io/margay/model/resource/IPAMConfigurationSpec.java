package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Cluster-wide rules of address assignment.
///
/// @param strictAffinity no borrowing from other nodes' blocks
/// @param autoAllocateBlocks nodes may claim blocks; null = yes
/// @param maxBlocksPerHost null or 0 = the built-in limit
/// @param kubeVirtVMAddressPersistence kept for others
/// @param ipCooldownSeconds rest of a released address, at most 1200
/// @param unknown fields this version has no name for, kept for the round trip
// As Calico writes them.
@JsonPropertyOrder({
  "strictAffinity",
  "maxBlocksPerHost",
  "autoAllocateBlocks",
  "kubeVirtVMAddressPersistence",
  "ipCooldownSeconds"
})
public record IPAMConfigurationSpec(
    @Nullable Boolean strictAffinity,
    @Nullable Boolean autoAllocateBlocks,
    @Nullable Integer maxBlocksPerHost,
    @Nullable String kubeVirtVMAddressPersistence,
    @Nullable Integer ipCooldownSeconds,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  /// Nothing given.
  public static final IPAMConfigurationSpec EMPTY =
      new IPAMConfigurationSpec(null, null, null, null, null, Map.of());

  public IPAMConfigurationSpec {
    unknown = Copies.sorted(unknown);
  }

  public boolean isStrictAffinity() {
    return Boolean.TRUE.equals(strictAffinity);
  }

  public boolean mayAllocateBlocks() {
    return !Boolean.FALSE.equals(autoAllocateBlocks);
  }

  /// With both switches written out: one left out is false to Calico's client.
  IPAMConfigurationSpec withDefaults() {
    return new IPAMConfigurationSpec(
        isStrictAffinity(),
        mayAllocateBlocks(),
        maxBlocksPerHost,
        kubeVirtVMAddressPersistence,
        ipCooldownSeconds,
        unknown);
  }
}
