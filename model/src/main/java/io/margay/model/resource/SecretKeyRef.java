package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One key of a Secret.
///
/// @param name the Secret
/// @param key the key in it
/// @param optional whether it may be missing
/// @param unknown fields this version has no name for, kept for the round trip
public record SecretKeyRef(
    String name,
    String key,
    @Nullable Boolean optional,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  public SecretKeyRef {
    name = Copies.required(name, "name");
    key = Copies.required(key, "key");
    unknown = Copies.sorted(unknown);
  }
}
