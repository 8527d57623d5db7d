package io.margay.agent.firewall;

import io.margay.model.net.InterfaceName;
import java.util.List;

/// @param interfacePrefixes what the names of policed interfaces begin with (FelixConfiguration
///   interfacePrefix); one that has no endpoint is dropped both ways
public record FirewallSettings(List<String> interfacePrefixes) {

  public static final FirewallSettings DEFAULT = new FirewallSettings(List.of("cali"));

  public FirewallSettings {
    interfacePrefixes = List.copyOf(interfacePrefixes);
    if (interfacePrefixes.isEmpty() || interfacePrefixes.contains("")) {
      throw new IllegalArgumentException(
          "interface prefixes "
              + interfacePrefixes
              + ": at least one, none empty, or every interface would be policed");
    }
  }

  /// Whether an interface is a pod's by its name. The others become one by their endpoint: another
  /// plugin made them, and the routes to them.
  public boolean isNamedByUs(InterfaceName name) {
    return interfacePrefixes.stream().anyMatch(prefix -> name.value().startsWith(prefix));
  }
}
