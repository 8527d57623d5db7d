package io.margay.datastore.json;

import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.util.JsonParserDelegate;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// Refuses YAML aliases, which the reader beneath would pass on as their own names.
public final class NoAliases extends JsonParserDelegate {

  private final YAMLParser yaml;

  public NoAliases(YAMLParser yaml) {
    super(yaml);
    this.yaml = yaml;
  }

  /// @throws JsonParseException when the value is an alias
  @Override
  public @Nullable JsonToken nextToken() throws IOException {
    JsonToken token = super.nextToken();
    if (token == JsonToken.VALUE_STRING && yaml.isCurrentAlias()) {
      throw new JsonParseException(
          this, "YAML alias *" + yaml.getText() + " is not taken; write the value out");
    }
    return token;
  }

  @Override
  public @Nullable String nextFieldName() throws IOException {
    return nextToken() == JsonToken.FIELD_NAME ? currentName() : null;
  }

  @Override
  public @Nullable String nextTextValue() throws IOException {
    return nextToken() == JsonToken.VALUE_STRING ? getText() : null;
  }
}
