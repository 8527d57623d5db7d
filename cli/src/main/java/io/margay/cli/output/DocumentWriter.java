package io.margay.cli.output;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.util.StringQuotingChecker;
import io.margay.model.resource.Kind;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/// Writes groups of documents as YAML or JSON the way calicoctl does: a list of a kind as
/// `<Kind>List`, several lists or several named objects as an array; one at a time, so that size
/// does not matter.
public final class DocumentWriter {

  private static final JsonMapper MAPPER = new JsonMapper();

  private final boolean yaml;
  private final JsonGenerator out;

  private DocumentWriter(boolean yaml, JsonGenerator out) {
    this.yaml = yaml;
    this.out = out;
  }

  public static void json(List<? extends DocumentGroup> groups, PrintWriter to) {
    write(groups, to, false);
    to.println();
  }

  public static void yaml(List<? extends DocumentGroup> groups, PrintWriter to) {
    write(groups, to, true);
  }

  private static void write(List<? extends DocumentGroup> groups, PrintWriter to, boolean yaml) {
    try (JsonGenerator out = generator(to, yaml)) {
      new DocumentWriter(yaml, out).groups(groups);
    } catch (IOException never) {
      throw new UncheckedIOException(never);
    }
  }

  private static JsonGenerator generator(PrintWriter to, boolean yaml) throws IOException {
    JsonFactory factory =
        yaml
            ? YAMLFactory.builder()
                .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
                .disable(YAMLGenerator.Feature.SPLIT_LINES)
                .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
                .enable(YAMLGenerator.Feature.ALWAYS_QUOTE_NUMBERS_AS_STRINGS)
                .stringQuotingChecker(new QuotedTimes())
                .build()
            : MAPPER.getFactory();
    JsonGenerator out =
        factory.createGenerator(to).disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
    out.setCodec(MAPPER);
    if (!yaml) {
      out.setPrettyPrinter(goIndented());
    }
    return out;
  }

  /// As Go's `json.MarshalIndent` with two blanks.
  private static DefaultPrettyPrinter goIndented() {
    DefaultIndenter indenter = new DefaultIndenter("  ", "\n");
    DefaultPrettyPrinter printer =
        new DefaultPrettyPrinter(
            Separators.createDefaultInstance()
                .withObjectFieldValueSpacing(Separators.Spacing.AFTER)
                .withObjectEmptySeparator("")
                .withArrayEmptySeparator(""));
    printer.indentArraysWith(indenter);
    printer.indentObjectsWith(indenter);
    return printer;
  }

  private void groups(List<? extends DocumentGroup> groups) throws IOException {
    if (groups.size() == 1 && groups.getFirst().isList()) {
      list(groups.getFirst());
      return;
    }
    if (groups.size() == 1) {
      List<ObjectNode> documents = new ArrayList<>();
      groups.getFirst().forEach(documents::add);
      if (documents.size() == 1) {
        document(documents.getFirst());
        return;
      }
    }
    out.writeStartArray();
    for (DocumentGroup group : groups) {
      if (group.isList()) {
        list(group);
      } else {
        group.forEach(this::document);
      }
    }
    out.writeEndArray();
  }

  private void list(DocumentGroup group) throws IOException {
    out.writeStartObject();
    if (yaml) {
      out.writeStringField("apiVersion", Kind.API_VERSION);
      items(group);
      out.writeStringField("kind", group.kindName() + "List");
      metadata(group);
    } else {
      out.writeStringField("kind", group.kindName() + "List");
      out.writeStringField("apiVersion", Kind.API_VERSION);
      metadata(group);
      items(group);
    }
    out.writeEndObject();
  }

  private void metadata(DocumentGroup group) throws IOException {
    out.writeObjectFieldStart("metadata");
    out.writeStringField("resourceVersion", group.resourceVersion());
    out.writeEndObject();
  }

  private void items(DocumentGroup group) throws IOException {
    out.writeArrayFieldStart("items");
    group.forEach(this::document);
    out.writeEndArray();
  }

  private void document(ObjectNode document) {
    try {
      out.writeTree(yaml ? sorted(document) : document);
    } catch (IOException never) {
      throw new UncheckedIOException(never);
    }
  }

  /// calicoctl's YAML has its keys in alphabetical order.
  private static JsonNode sorted(JsonNode node) {
    if (node.isArray()) {
      var items = MAPPER.createArrayNode();
      node.forEach(item -> items.add(sorted(item)));
      return items;
    }
    if (!node.isObject()) {
      return node;
    }
    Map<String, JsonNode> fields = new TreeMap<>();
    node.properties().forEach(field -> fields.put(field.getKey(), sorted(field.getValue())));
    return MAPPER.createObjectNode().setAll(fields);
  }

  /// Times in quotes: bare they are YAML's own type, which other readers print differently.
  private static final class QuotedTimes extends StringQuotingChecker.Default {
    private static final long serialVersionUID = 1L;
    private static final Pattern DATE = Pattern.compile("\\d{4}-\\d{1,2}-\\d{1,2}.*");

    @Override
    public boolean needToQuoteValue(String value) {
      return super.needToQuoteValue(value) || DATE.matcher(value).matches();
    }
  }
}
