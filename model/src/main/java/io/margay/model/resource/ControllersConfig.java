package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import io.margay.model.net.Prefix;
import io.margay.model.selector.Selector;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Which controllers run, and how; null = that one does not.
///
/// @param node cleans up after nodes and leaked addresses
/// @param policy copies Kubernetes policies
/// @param workloadEndpoint copies labels of pods
/// @param serviceAccount makes profiles of service accounts
/// @param namespace makes profiles of namespaces
/// @param loadBalancer gives Services their addresses
/// @param migration renames what older versions named otherwise
/// @param unknown fields this version has no name for, kept for the round trip
public record ControllersConfig(
    @Nullable NodeController node,
    @Nullable ReconciledController policy,
    @Nullable ReconciledController workloadEndpoint,
    @Nullable ReconciledController serviceAccount,
    @Nullable ReconciledController namespace,
    @Nullable LoadBalancerController loadBalancer,
    @Nullable MigrationController migration,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  /// Nothing given.
  public static final ControllersConfig EMPTY =
      new ControllersConfig(null, null, null, null, null, null, null, Map.of());

  private static final Duration LEAK_GRACE_PERIOD = Duration.ofMinutes(15);

  public ControllersConfig {
    unknown = Copies.sorted(unknown);
  }

  /// Whether host endpoints are to be made for nodes.
  public boolean areHostEndpointsAutomatic() {
    return node != null
        && node.hostEndpoint() != null
        && "enabled".equalsIgnoreCase(node.hostEndpoint().autoCreate());
  }

  /// The age at which a lost address is to be freed, if another is asked for than Calico's own.
  public Optional<Duration> otherLeakGracePeriod() {
    return Optional.ofNullable(node)
        .map(NodeController::leakGracePeriod)
        .filter(period -> !period.equals(LEAK_GRACE_PERIOD));
  }

  /// Of nodes.
  ///
  /// @param reconcilerPeriod between full passes; null = 5m
  /// @param syncLabels `Enabled` or `Disabled`; null = Enabled
  /// @param hostEndpoint host endpoints made for nodes
  /// @param leakGracePeriod age at which a lost address is freed; 0 = never; null = 15m
  /// @param unknown fields this version has no name for, kept for the round trip
  public record NodeController(
      @Nullable Duration reconcilerPeriod,
      @Nullable String syncLabels,
      @Nullable AutoHostEndpoint hostEndpoint,
      @Nullable Duration leakGracePeriod,
      @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

    public NodeController {
      unknown = Copies.sorted(unknown);
    }
  }

  /// Host endpoints made for nodes.
  ///
  /// @param autoCreate `Enabled` or `Disabled`; null = Disabled
  /// @param createDefaultHostEndpoint `Enabled` or `Disabled`: the one for all interfaces
  /// @param templates more of them
  /// @param unknown fields this version has no name for, kept for the round trip
  public record AutoHostEndpoint(
      @Nullable String autoCreate,
      @Nullable String createDefaultHostEndpoint,
      List<HostEndpointTemplate> templates,
      @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

    public AutoHostEndpoint {
      templates = Copies.list(templates);
      unknown = Copies.sorted(unknown);
    }
  }

  /// Which host endpoints are made for which nodes.
  ///
  /// @param generateName end of their names
  /// @param interfaceCIDRs addresses of the node that they expect
  /// @param interfacePattern regular expression of interfaces that get one each
  /// @param labels theirs, beyond the node's
  /// @param nodeSelector nodes that get them; null = all
  /// @param unknown fields this version has no name for, kept for the round trip
  public record HostEndpointTemplate(
      @Nullable String generateName,
      List<Prefix> interfaceCIDRs,
      @Nullable String interfacePattern,
      Map<String, String> labels,
      @Nullable Selector nodeSelector,
      @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

    public HostEndpointTemplate {
      interfaceCIDRs = Copies.list(interfaceCIDRs);
      labels = Copies.labels(labels);
      unknown = Copies.sorted(unknown);
    }
  }

  /// Of anything that is copied over and over.
  ///
  /// @param reconcilerPeriod between full passes; null = 5m
  /// @param unknown fields this version has no name for, kept for the round trip
  public record ReconciledController(
      @Nullable Duration reconcilerPeriod,
      @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

    public ReconciledController {
      unknown = Copies.sorted(unknown);
    }
  }

  /// Of Services.
  ///
  /// @param assignIPs `AllServices` or `RequestedServicesOnly`; null = AllServices
  /// @param unknown fields this version has no name for, kept for the round trip
  public record LoadBalancerController(
      @Nullable String assignIPs, @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

    public LoadBalancerController {
      unknown = Copies.sorted(unknown);
    }
  }

  /// Of what older versions named otherwise.
  ///
  /// @param policyNameMigrator `Enabled` or `Disabled`: renames policies; null = Enabled
  /// @param unknown fields this version has no name for, kept for the round trip
  public record MigrationController(
      @Nullable String policyNameMigrator,
      @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

    public MigrationController {
      unknown = Copies.sorted(unknown);
    }
  }
}
