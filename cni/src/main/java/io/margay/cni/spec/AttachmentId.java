package io.margay.cni.spec;

import io.margay.model.net.InterfaceName;

/// What identifies an attachment by the specification: the container and its interface. One
/// container may join the same network twice under two interface names.
///
/// @param containerId `CNI_CONTAINERID`, checked
/// @param ifName `CNI_IFNAME`, the interface inside the pod
public record AttachmentId(String containerId, InterfaceName ifName) {

  /// Longer ids than any runtime makes; file names and aliases are built of them.
  public static final int MAX_CONTAINER_ID = 180;

  public AttachmentId {
    if (!Identifiers.isIdentifier(containerId) || containerId.length() > MAX_CONTAINER_ID) {
      throw new IllegalArgumentException(
          "container id \""
              + containerId
              + "\" must be at most "
              + MAX_CONTAINER_ID
              + " letters, digits, \"_\", \".\" and \"-\", the first a letter or digit");
    }
  }

  /// `<containerID>/<ifname>`, as the alias of the host end carries it.
  @Override
  public String toString() {
    return containerId + "/" + ifName;
  }
}
