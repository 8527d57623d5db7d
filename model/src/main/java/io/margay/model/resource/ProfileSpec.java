package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.List;
import java.util.Map;

/// A profile's rules and the labels it hands down.
///
/// @param ingress in order, for packets towards the endpoint
/// @param egress in order, for packets from the endpoint
/// @param labelsToApply labels of every endpoint that names the profile; the endpoint's own win
/// @param unknown fields this version has no name for, kept for the round trip
public record ProfileSpec(
    List<Rule> ingress,
    List<Rule> egress,
    Map<String, String> labelsToApply,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  /// Nothing given.
  public static final ProfileSpec EMPTY = new ProfileSpec(List.of(), List.of(), Map.of(), Map.of());

  public ProfileSpec {
    ingress = Copies.list(ingress);
    egress = Copies.list(egress);
    labelsToApply = Copies.labels(labelsToApply);
    unknown = Copies.sorted(unknown);
  }
}
