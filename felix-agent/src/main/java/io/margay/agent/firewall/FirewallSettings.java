package io.margay.agent.firewall;

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
}
