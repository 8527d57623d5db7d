package io.margay.model.k8s;

import io.margay.model.net.Prefix;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Who may talk: pods, pods of namespaces, or a block of addresses.
///
/// @param podSelector null = not given
/// @param namespaceSelector null = the policy's namespace if there is a podSelector
/// @param ipBlock instead of the selectors
public record PolicyPeer(
    @Nullable LabelSelector podSelector,
    @Nullable LabelSelector namespaceSelector,
    @Nullable IpBlock ipBlock) {

  /// Addresses within `cidr` but in none of `except`.
  public record IpBlock(Prefix cidr, List<Prefix> except) {

    public IpBlock {
      cidr = Given.required(cidr, "cidr");
      except = Given.list(except);
    }
  }
}
