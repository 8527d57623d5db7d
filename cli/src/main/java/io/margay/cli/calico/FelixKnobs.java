package io.margay.cli.calico;

import io.margay.agent.calc.InertKnobs;
import io.margay.model.resource.FelixConfiguration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// What FelixConfigurations ask for and agents don't do.
final class FelixKnobs {

  private FelixKnobs() {}

  static void collect(CalicoCluster cluster, List<Finding> findings) {
    for (FelixConfiguration configuration : cluster.all(FelixConfiguration.class)) {
      String object = configuration.ref().toString();
      List<String> others = new ArrayList<>();
      for (Map.Entry<String, Object> knob :
          new TreeMap<>(configuration.spec().settings()).entrySet()) {
        if (!InertKnobs.isInert(knob.getKey(), knob.getValue())) {
          continue;
        }
        String asked = knob.getKey() + ": " + knob.getValue();
        switch (knob.getKey()) {
          case "bpfEnabled" -> findings.add(new Finding(Support.BPF_DATAPLANE, object, asked));
          case "wireguardEnabled", "wireguardEnabledV6" ->
              findings.add(new Finding(Support.WIREGUARD, object, asked));
          default -> others.add(asked);
        }
      }
      if (!others.isEmpty()) {
        findings.add(new Finding(Support.FELIX_KNOB, object, String.join(", ", others)));
      }
    }
  }
}
