package io.margay.agent.calc;

import io.margay.model.resource.ControllersConfig;
import io.margay.model.resource.KubeControllersConfiguration;
import java.util.ArrayList;
import java.util.List;

/// The settings of KubeControllersConfiguration that ask for something no agent does, though where
/// Calico's kube-controllers are gone nobody else does either.
final class InertControllerSettings {

  private static final String NODE = ": spec.controllers.node.";

  private static final String AUTOMATIC_HOST_ENDPOINTS =
      "hostEndpoint.autoCreate has no effect here; no agent makes host endpoints, Calico's"
          + " kube-controllers do where they run, else apply a HostEndpoint for each node";

  private static final String LEAK_GRACE_PERIOD =
      "leakGracePeriod has no effect here; agents judge an address after 15 minutes, and free it"
          + " only with gc: on in their settings";

  private InertControllerSettings() {}

  /// A line for each.
  static List<String> problems(KubeControllersConfiguration configuration) {
    ControllersConfig controllers = configuration.spec().controllers();
    List<String> problems = new ArrayList<>();
    if (controllers.areHostEndpointsAutomatic()) {
      problems.add(configuration.ref() + NODE + AUTOMATIC_HOST_ENDPOINTS);
    }
    if (controllers.otherLeakGracePeriod().isPresent()) {
      problems.add(configuration.ref() + NODE + LEAK_GRACE_PERIOD);
    }
    return problems;
  }
}
