package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import io.margay.model.net.Asn;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One change to a route. Exactly one field is given.
///
/// @param addCommunity adds a community
/// @param prependASPath lengthens the AS path
/// @param setPriority sets the metric in the kernel
/// @param unknown fields this version has no name for, kept for the round trip
public record BGPFilterOperation(
    @Nullable AddCommunity addCommunity,
    @Nullable PrependASPath prependASPath,
    @Nullable SetPriority setPriority,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  public BGPFilterOperation {
    unknown = Copies.sorted(unknown);
  }

  /// @param value `aa:nn` or `aa:nn:mm`
  /// @param unknown fields this version has no name for, kept for the round trip
  public record AddCommunity(
      String value, @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

    public AddCommunity {
      value = Copies.required(value, "value");
      unknown = Copies.sorted(unknown);
    }
  }

  /// @param prefix put before the path, in this order
  /// @param unknown fields this version has no name for, kept for the round trip
  public record PrependASPath(
      List<Asn> prefix, @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

    public PrependASPath {
      prefix = Copies.list(prefix);
      unknown = Copies.sorted(unknown);
    }
  }

  /// @param value the metric
  /// @param unknown fields this version has no name for, kept for the round trip
  public record SetPriority(
      Integer value, @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

    public SetPriority {
      value = Copies.required(value, "value");
      unknown = Copies.sorted(unknown);
    }
  }
}
