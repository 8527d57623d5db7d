package io.margay.model.resource;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/// What Calico demands of its Kubernetes controllers' knobs.
final class ControllersValidation {

  private static final Set<String> SWITCH = Set.of("Enabled", "Disabled");
  private static final Set<String> SEVERITIES =
      Set.of("None", "Debug", "Info", "Warning", "Error", "Fatal", "Panic");

  private ControllersValidation() {}

  static void configuration(KubeControllersConfigurationSpec spec, FieldErrors errors) {
    errors.oneOf(spec.logSeverityScreen(), SEVERITIES, "spec.logSeverityScreen");
    errors.oneOf(spec.healthChecks(), SWITCH, "spec.healthChecks");
    period(spec.etcdV3CompactionPeriod(), "spec.etcdV3CompactionPeriod", errors);
    errors.range(spec.prometheusMetricsPort(), 0, Port.MAX, "spec.prometheusMetricsPort");
    errors.range(spec.debugProfilePort(), 0, Port.MAX, "spec.debugProfilePort");
    ControllersConfig controllers = spec.controllers();
    node(controllers.node(), "spec.controllers.node", errors);
    reconciled(controllers.policy(), "spec.controllers.policy", errors);
    reconciled(controllers.workloadEndpoint(), "spec.controllers.workloadEndpoint", errors);
    reconciled(controllers.serviceAccount(), "spec.controllers.serviceAccount", errors);
    reconciled(controllers.namespace(), "spec.controllers.namespace", errors);
    if (controllers.loadBalancer() != null) {
      errors.oneOf(
          controllers.loadBalancer().assignIPs(),
          Set.of("AllServices", "RequestedServicesOnly"),
          "spec.controllers.loadBalancer.assignIPs");
    }
    if (controllers.migration() != null) {
      errors.oneOf(
          controllers.migration().policyNameMigrator(),
          SWITCH,
          "spec.controllers.migration.policyNameMigrator");
    }
  }

  private static void node(
      ControllersConfig.@Nullable NodeController node, String path, FieldErrors errors) {
    if (node == null) {
      return;
    }
    period(node.reconcilerPeriod(), path + ".reconcilerPeriod", errors);
    period(node.leakGracePeriod(), path + ".leakGracePeriod", errors);
    errors.oneOf(node.syncLabels(), SWITCH, path + ".syncLabels");
    ControllersConfig.AutoHostEndpoint endpoint = node.hostEndpoint();
    if (endpoint == null) {
      return;
    }
    errors.oneOf(endpoint.autoCreate(), SWITCH, path + ".hostEndpoint.autoCreate");
    errors.oneOf(
        endpoint.createDefaultHostEndpoint(),
        SWITCH,
        path + ".hostEndpoint.createDefaultHostEndpoint");
    List<ControllersConfig.HostEndpointTemplate> templates = endpoint.templates();
    for (int i = 0; i < templates.size(); i++) {
      template(templates.get(i), path + ".hostEndpoint.templates[" + i + "]", errors);
    }
  }

  private static void template(
      ControllersConfig.HostEndpointTemplate template, String path, FieldErrors errors) {
    if (template.generateName() != null) {
      NameRules.name(template.generateName(), path + ".generateName", errors);
    }
    String pattern = template.interfacePattern();
    errors.unless(
        pattern != null || !template.interfaceCIDRs().isEmpty(),
        path + ".interfaceCIDRs",
        "or interfacePattern is required");
    if (pattern != null) {
      try {
        Pattern.compile(pattern);
      } catch (PatternSyntaxException wrong) {
        errors.add(
            path + ".interfacePattern",
            "\"" + pattern + "\" is not a regular expression: " + wrong.getDescription());
      }
    }
    NameRules.labels(template.labels(), path + ".labels", errors);
    PolicyValidation.selector(template.nodeSelector(), path + ".nodeSelector", errors);
  }

  private static void reconciled(
      ControllersConfig.@Nullable ReconciledController controller,
      String path,
      FieldErrors errors) {
    if (controller != null) {
      period(controller.reconcilerPeriod(), path + ".reconcilerPeriod", errors);
    }
  }

  private static void period(@Nullable Duration period, String path, FieldErrors errors) {
    errors.unless(period == null || !period.isNegative(), path, "can't be negative");
  }
}
