package io.margay.cni.spec;

import io.margay.model.net.IpAddress;
import io.margay.model.net.MacAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// `CNI_ARGS`: `KEY=VALUE` pairs separated by `;`, in any order, possibly repeated (the last one
/// wins). A value may contain `=`. Keys we do not know are kept and mean nothing.
///
/// @param values by key, spelled as sent
public record CniArgs(Map<String, String> values) {

  /// What Kubernetes runtimes, podman, Nomad and nerdctl send, be it of use here or not.
  private static final Set<String> KNOWN =
      Set.of("IgnoreUnknown", "IP", "MAC", "CONSUL_IPTABLES_CONFIG", "NERDCTL_CNI_DHCP_HOSTNAME");

  public CniArgs {
    values = Map.copyOf(values);
  }

  /// @throws CniException code 4 for a pair without `=` or without a key
  public static CniArgs parse(String text) throws CniException {
    Map<String, String> values = new LinkedHashMap<>();
    int start = 0;
    while (start <= text.length()) {
      int end = text.indexOf(';', start);
      String pair = text.substring(start, end < 0 ? text.length() : end);
      int equals = pair.indexOf('=');
      if (equals > 0) {
        values.put(pair.substring(0, equals).trim(), pair.substring(equals + 1).trim());
      } else if (!pair.isBlank()) {
        throw new CniException(
            CniError.BAD_ENVIRONMENT,
            "CNI_ARGS: \"" + pair + "\" is not KEY=VALUE; separate pairs by \";\"");
      }
      start = end < 0 ? text.length() + 1 : end + 1;
    }
    return new CniArgs(values);
  }

  /// Keys that mean nothing to us, unless the runtime asks to ignore them.
  public List<String> unknownKeys() {
    String ignore = get("IgnoreUnknown").orElse("");
    if (ignore.equals("1") || ignore.equalsIgnoreCase("true")) {
      return List.of();
    }
    return values.keySet().stream().filter(key -> !isKnown(key)).sorted().toList();
  }

  private static boolean isKnown(String key) {
    return KNOWN.contains(key) || key.startsWith("K8S_") || key.startsWith("NOMAD_");
  }

  /// The value of `key`, unless absent or empty.
  public Optional<String> get(String key) {
    return Optional.ofNullable(values.get(key)).filter(value -> !value.isEmpty());
  }

  /// `IP=`: one address, or several separated by commas. Deprecated, yet how a running container
  /// keeps its address when podman reloads its network.
  public List<IpAddress> addresses() throws CniException {
    List<IpAddress> addresses = new ArrayList<>();
    for (String text : get("IP").orElse("").split(",", -1)) {
      if (!text.isBlank()) {
        addresses.add(ConfNode.address("IP of CNI_ARGS", text.trim()));
      }
    }
    return addresses;
  }

  /// `MAC=`.
  public Optional<MacAddress> mac() throws CniException {
    Optional<String> text = get("MAC");
    return text.isEmpty()
        ? Optional.empty()
        : Optional.of(NetConf.mac("MAC of CNI_ARGS", text.get()));
  }
}
