package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.margay.model.net.Prefix;
import io.margay.model.selector.Selector;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One end of a packet, as a rule sees it. All given fields are ANDed; empty matches everything.
///
/// @param nets the address lies in one of these; empty = no constraint
/// @param notNets the address lies in none of these
/// @param selector known endpoints and network sets
/// @param notSelector all but these
/// @param namespaceSelector namespaces of what `selector` finds; `global()` = objects without one
/// @param ports the port is one of these; empty = no constraint
/// @param notPorts the port is none of these
/// @param serviceAccounts service accounts of known endpoints
/// @param services instead of all other fields: a service's endpoints
/// @param unknown fields this version has no name for, kept for the round trip
// As Calico writes them.
@JsonPropertyOrder({
  "nets",
  "selector",
  "namespaceSelector",
  "services",
  "ports",
  "notNets",
  "notSelector",
  "notPorts",
  "serviceAccounts"
})
public record EntityRule(
    List<Prefix> nets,
    List<Prefix> notNets,
    @Nullable Selector selector,
    @Nullable Selector notSelector,
    @Nullable Selector namespaceSelector,
    List<Port> ports,
    List<Port> notPorts,
    @Nullable ServiceAccountMatch serviceAccounts,
    @Nullable ServiceMatch services,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  /// Nothing given.
  public static final EntityRule EMPTY =
      new EntityRule(
          List.of(), List.of(), null, null, null, List.of(), List.of(), null, null, Map.of());

  public EntityRule {
    nets = Copies.list(nets);
    notNets = Copies.list(notNets);
    ports = Copies.list(ports);
    notPorts = Copies.list(notPorts);
    unknown = Copies.sorted(unknown);
  }

  /// Whether it matches every packet.
  public boolean isEmpty() {
    return equals(EMPTY);
  }

  public EntityRule withNets(List<Prefix> newNets) {
    return new EntityRule(
        newNets,
        notNets,
        selector,
        notSelector,
        namespaceSelector,
        ports,
        notPorts,
        serviceAccounts,
        services,
        unknown);
  }

  public EntityRule withNotNets(List<Prefix> newNotNets) {
    return new EntityRule(
        nets,
        newNotNets,
        selector,
        notSelector,
        namespaceSelector,
        ports,
        notPorts,
        serviceAccounts,
        services,
        unknown);
  }

  public EntityRule withSelector(@Nullable Selector newSelector) {
    return new EntityRule(
        nets,
        notNets,
        newSelector,
        notSelector,
        namespaceSelector,
        ports,
        notPorts,
        serviceAccounts,
        services,
        unknown);
  }

  public EntityRule withNotSelector(@Nullable Selector newNotSelector) {
    return new EntityRule(
        nets,
        notNets,
        selector,
        newNotSelector,
        namespaceSelector,
        ports,
        notPorts,
        serviceAccounts,
        services,
        unknown);
  }

  public EntityRule withNamespaceSelector(@Nullable Selector newNamespaceSelector) {
    return new EntityRule(
        nets,
        notNets,
        selector,
        notSelector,
        newNamespaceSelector,
        ports,
        notPorts,
        serviceAccounts,
        services,
        unknown);
  }

  public EntityRule withPorts(List<Port> newPorts) {
    return new EntityRule(
        nets,
        notNets,
        selector,
        notSelector,
        namespaceSelector,
        newPorts,
        notPorts,
        serviceAccounts,
        services,
        unknown);
  }

  public EntityRule withNotPorts(List<Port> newNotPorts) {
    return new EntityRule(
        nets,
        notNets,
        selector,
        notSelector,
        namespaceSelector,
        ports,
        newNotPorts,
        serviceAccounts,
        services,
        unknown);
  }

  public EntityRule withServiceAccounts(@Nullable ServiceAccountMatch newServiceAccounts) {
    return new EntityRule(
        nets,
        notNets,
        selector,
        notSelector,
        namespaceSelector,
        ports,
        notPorts,
        newServiceAccounts,
        services,
        unknown);
  }

  public EntityRule withServices(@Nullable ServiceMatch newServices) {
    return new EntityRule(
        nets,
        notNets,
        selector,
        notSelector,
        namespaceSelector,
        ports,
        notPorts,
        serviceAccounts,
        newServices,
        unknown);
  }
}
