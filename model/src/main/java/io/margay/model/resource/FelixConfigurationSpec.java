package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;
import java.util.Optional;

/// The node agent's knobs, by name, as written.
///
/// @param settings JSON values by knob; a knob this version does not know is kept and has no effect
public record FelixConfigurationSpec(@JsonAnySetter @JsonAnyGetter Map<String, Object> settings) {

  /// Nothing set.
  public static final FelixConfigurationSpec EMPTY = new FelixConfigurationSpec(Map.of());

  public FelixConfigurationSpec {
    settings = Copies.json(settings);
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
