package io.margay.bgp.rib;

import java.util.List;

/// Receives what the forwarding table should hold, in portions, while the RIB settles.
@FunctionalInterface
public interface ForwardingListener {

  /// @param changes each prefix at most once within one settling
  void onChanges(List<ForwardingChange> changes);
}
