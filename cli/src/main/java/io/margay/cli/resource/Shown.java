package io.margay.cli.resource;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.cli.output.Columns;
import io.margay.cli.output.DocumentWriter;
import io.margay.cli.output.JsonPath;
import io.margay.cli.output.OutputFormat;
import io.margay.cli.output.PsTable;
import io.margay.cli.output.TemplateException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Prints what `get` found in the format asked for.
final class Shown {

  private static final String NAMESPACE = "NAMESPACE";
  private static final String NOTHING = "<none>";

  private final PrintWriter out;
  private final boolean namespaces;
  private final Supplier<String> clusterAsn;
  private @Nullable String knownAsn;

  /// @param namespaces whether tables of namespaced kinds begin with the namespace
  /// @param clusterAsn asked once, when a node without an AS number of its own is shown
  Shown(PrintWriter out, boolean namespaces, Supplier<String> clusterAsn) {
    this.out = out;
    this.namespaces = namespaces;
    this.clusterAsn = clusterAsn;
  }

  void print(OutputFormat format, List<FoundDocuments> groups) throws TemplateException {
    boolean nothing = groups.isEmpty();
    switch (format) {
      case OutputFormat.Table(boolean wide) -> {
        for (FoundDocuments group : groups) {
          Columns columns = Columns.of(group.plural());
          table(group, columns, wide ? columns.wide() : columns.narrow(), namespaces);
        }
      }
      case OutputFormat.Headings(List<String> headings) -> {
        for (FoundDocuments group : groups) {
          Columns columns = Columns.of(group.plural());
          for (String heading : headings) {
            if (!columns.cells().containsKey(heading)) {
              throw new TemplateException(
                  "-o custom-columns: Unknown heading "
                      + heading
                      + " of "
                      + group.kindName()
                      + ", valid values are: "
                      + columns.headings());
            }
          }
          table(group, columns, headings, false);
        }
      }
      case OutputFormat.PathColumns(List<String> headings, List<JsonPath> paths) -> {
        for (FoundDocuments group : groups) {
          table(group, headings, paths);
        }
      }
      case OutputFormat.Yaml() -> {
        if (!nothing) {
          DocumentWriter.yaml(groups, out);
        }
      }
      case OutputFormat.Json() -> {
        if (!nothing) {
          DocumentWriter.json(groups, out);
        }
      }
      case OutputFormat.Name() ->
          groups.forEach(
              group ->
                  group.forEach(
                      document ->
                          out.println(
                              group.kindName().toLowerCase(Locale.ROOT)
                                  + "/"
                                  + document.path("metadata").path("name").asText())));
      case OutputFormat.Template(var template) ->
          out.print(template.evaluate(GetCommand.roots(groups)));
      case OutputFormat.Path(JsonPath path) -> out.print(path.evaluate(root(groups)));
    }
  }

  private void table(
      FoundDocuments group, Columns columns, List<String> headings, boolean withNamespace) {
    List<String> all = new ArrayList<>(headings);
    if (withNamespace && group.isNamespaced()) {
      all.addFirst(NAMESPACE);
    }
    PsTable table = new PsTable(all);
    group.forEach(document -> table.row(filled(columns.row(all, document))));
    table.print(out);
  }

  private List<String> filled(List<String> row) {
    row.replaceAll(cell -> cell.equals(Columns.CLUSTER_ASN) ? asn() : cell);
    return row;
  }

  private String asn() {
    String known = knownAsn;
    if (known == null) {
      known = clusterAsn.get();
      knownAsn = known;
    }
    return known;
  }

  private void table(FoundDocuments group, List<String> headings, List<JsonPath> paths) {
    PsTable table = new PsTable(headings);
    group.forEach(
        document -> {
          List<String> row = new ArrayList<>();
          for (JsonPath path : paths) {
            String cell = path.evaluate(document);
            row.add(cell.isEmpty() ? NOTHING : cell);
          }
          table.row(row);
        });
    table.print(out);
  }

  /// kubectl's outermost value: the object that was asked for, or a list of everything.
  private static JsonNode root(List<FoundDocuments> groups) {
    List<JsonNode> roots = GetCommand.roots(groups);
    if (roots.size() == 1) {
      return roots.getFirst();
    }
    ObjectNode list = JsonNodeFactory.instance.objectNode();
    list.put("kind", "List").put("apiVersion", "v1");
    ArrayNode items = list.putArray("items");
    for (JsonNode root : roots) {
      if (root.path("items").isArray()) {
        root.path("items").forEach(items::add);
      } else {
        items.add(root);
      }
    }
    return list;
  }
}
