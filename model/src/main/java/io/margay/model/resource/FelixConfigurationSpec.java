package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The node agent's knobs, by name, as written.
///
/// @param settings JSON values by knob, in the order of [#knobs]; one that is not there is kept,
///   after the others, and has no effect
public record FelixConfigurationSpec(
    // An empty list is a value: no failsafe ports, say, which is not Felix' default.
    @JsonAnySetter
        @JsonAnyGetter
        @JsonInclude(value = JsonInclude.Include.ALWAYS, content = JsonInclude.Include.ALWAYS)
        Map<String, Object> settings) {

  /// Nothing set.
  public static final FelixConfigurationSpec EMPTY = new FelixConfigurationSpec(Map.of());

  public FelixConfigurationSpec {
    settings = FelixKnobs.TABLE.inOrder(settings);
  }

  /// The knobs there are, with the values they take.
  public static KnobTable knobs() {
    return FelixKnobs.TABLE;
  }

  /// The knobs that are set but that Calico does not document.
  public List<String> unknownKnobs() {
    return FelixKnobs.TABLE.unknown(settings);
  }

  /// With what Calico's client writes out in etcd mode.
  FelixConfigurationSpec withDefaults() {
    Map<String, Object> written = new LinkedHashMap<>(settings);
    written.putIfAbsent("floatingIPs", "Disabled");
    written.putIfAbsent("bpfLogLevel", "");
    Optional<Boolean> legacy = flag("bpfConnectTimeLoadBalancingEnabled");
    if (legacy.isPresent()) {
      written.put("bpfConnectTimeLoadBalancing", legacy.get() ? "Enabled" : "Disabled");
      written.put("bpfHostNetworkedNATWithoutCTLB", "Disabled");
    } else {
      written.putIfAbsent("bpfConnectTimeLoadBalancing", "TCP");
      written.putIfAbsent("bpfHostNetworkedNATWithoutCTLB", "Enabled");
    }
    return new FelixConfigurationSpec(written);
  }

  /// A knob whose value is text.
  public Optional<String> text(String knob) {
    return settings.get(knob) instanceof String value ? Optional.of(value) : Optional.empty();
  }

  /// A knob whose value is an integer.
  public Optional<Long> number(String knob) {
    return settings.get(knob) instanceof Number value && value.doubleValue() % 1 == 0
        ? Optional.of(value.longValue())
        : Optional.empty();
  }

  /// A knob whose value is true or false.
  public Optional<Boolean> flag(String knob) {
    return settings.get(knob) instanceof Boolean value ? Optional.of(value) : Optional.empty();
  }
}
