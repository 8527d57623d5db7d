package io.margay.ipam.care;

import java.util.Set;

/// What a node's own agent sees, by its journal and its kernel. The only word about a pod on a
/// living node that is as good as the datastore's.
///
/// @param node the agent's node
/// @param handles of attachments that are being made, are complete and alive, or are being deleted
/// @param containers ids of containers whose wire is in the kernel
/// @param interfaces every interface of the host
/// @param isComplete false when something could not be read; then nothing is concluded
public record NodeWitness(
    String node,
    Set<String> handles,
    Set<String> containers,
    Set<String> interfaces,
    boolean isComplete) {

  public NodeWitness {
    handles = Set.copyOf(handles);
    containers = Set.copyOf(containers);
    interfaces = Set.copyOf(interfaces);
  }

  /// Whether anything of the attachment that holds `handle` is here.
  boolean knows(String handle) {
    return handles.contains(handle)
        || containers.stream()
            .anyMatch(
                container ->
                    handle.endsWith("." + container) || handle.contains("." + container + "."));
  }
}
