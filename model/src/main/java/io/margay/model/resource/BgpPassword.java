package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Where a TCP-MD5 key is kept; never the key itself.
///
/// @param secretKeyRef a key of a Secret
/// @param unknown fields this version has no name for, kept for the round trip
public record BgpPassword(
    @Nullable SecretKeyRef secretKeyRef,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  public BgpPassword {
    unknown = Copies.sorted(unknown);
  }
}
