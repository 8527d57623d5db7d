package io.margay.policy;

import java.util.List;
import java.util.Map;

/// Something on this node that policies select.
sealed interface Policed permits LocalEndpoint, LocalHost {

  /// Its own labels, with the implied ones.
  Map<String, String> labels();

  /// Names, in order.
  List<String> profiles();
}
