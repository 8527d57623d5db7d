package io.margay.cni.protocol;

import java.util.HashMap;
import java.util.Map;

/// What a runtime told the plugin, not yet judged.
///
/// @param environment variables that were set; never logged as a whole, for nobody knows what they
///   hold
/// @param program the name the plugin was called by: `margay-cni`, `margay-ipam`
/// @param stdin the network configuration; never logged, it may hold secrets
@SuppressWarnings(
    "ArrayRecordComponent") // as received: it may not even be text; nobody compares requests
public record CniRequest(Map<CniVariable, String> environment, String program, byte[] stdin) {

  public CniRequest {
    environment = Map.copyOf(environment);
  }

  /// The value of a variable, or an empty text.
  public String get(CniVariable variable) {
    return environment.getOrDefault(variable, "");
  }

  /// The same request with another command, as a rollback needs it.
  public CniRequest withCommand(String command) {
    Map<CniVariable, String> changed = new HashMap<>(environment);
    changed.put(CniVariable.COMMAND, command);
    return new CniRequest(changed, program, stdin);
  }

  @Override
  public String toString() {
    return get(CniVariable.COMMAND)
        + " "
        + get(CniVariable.CONTAINERID)
        + "/"
        + get(CniVariable.IFNAME);
  }
}
