package io.margay.model.resource;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.selector.Selector;
import io.margay.model.selector.SelectorSyntaxException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/// The fields an object kept as a map may have, with the values they take, in the order in which
/// they are written. One row a field: what checks the values is what the documentation is made of.
/// A field without a row is kept and reported, never refused.
public final class KnobTable {

  private static final Pattern DURATION =
      Pattern.compile("0|(\\d{1,18}(\\.\\d{1,9})?(ns|us|µs|ms|s|m|h))+");

  private final Map<String, Knob> rows = new LinkedHashMap<>();

  KnobTable(List<Knob> knobs) {
    for (Knob knob : knobs) {
      if (rows.put(knob.name(), knob) != null) {
        throw new IllegalArgumentException("two rows for " + knob.name());
      }
    }
  }

  /// The rows, in order.
  public List<Knob> knobs() {
    return List.copyOf(rows.values());
  }

  /// The row of a field, if there is one.
  public Optional<Knob> knob(String name) {
    return Optional.ofNullable(rows.get(name));
  }

  /// `settings` in the order of the rows, and what has no row after them, by name; so in the
  /// objects within.
  Map<String, Object> inOrder(@Nullable Map<String, Object> settings) {
    return settings == null || settings.isEmpty() ? Map.of() : ordered(settings);
  }

  private Map<String, Object> ordered(Map<?, ?> settings) {
    Map<String, Object> rest = new TreeMap<>();
    settings.forEach((name, value) -> rest.put(String.valueOf(name), value));
    Map<String, Object> ordered = new LinkedHashMap<>();
    for (Knob knob : rows.values()) {
      if (rest.containsKey(knob.name())) {
        ordered.put(knob.name(), ordered(knob.values(), rest.remove(knob.name())));
      }
    }
    ordered.putAll(rest);
    return Collections.unmodifiableMap(ordered);
  }

  private static @Nullable Object ordered(Values values, @Nullable Object value) {
    if (values instanceof Values.Fields fields && value instanceof Map<?, ?> object) {
      return fields.fields().ordered(object);
    }
    if (values instanceof Values.Each each && value instanceof List<?> list) {
      return list.stream().map(entry -> ordered(each.values(), entry)).toList();
    }
    // Go writes maps by name.
    return values instanceof Values.Texts && value instanceof Map<?, ?> texts
        ? Collections.unmodifiableMap(new TreeMap<>(texts))
        : value;
  }

  /// The paths of the fields of `settings` for which there is no row: `knob`, `list[2].field`.
  public List<String> unknown(Map<String, Object> settings) {
    List<String> paths = new ArrayList<>();
    unknown(settings, "", paths);
    return paths;
  }

  private void unknown(Map<?, ?> settings, String path, List<String> paths) {
    settings.forEach(
        (name, value) -> {
          Knob knob = rows.get(String.valueOf(name));
          if (knob == null) {
            paths.add(path + name);
          } else {
            unknown(knob.values(), value, path + name, paths);
          }
        });
  }

  private static void unknown(
      Values values, @Nullable Object value, String path, List<String> paths) {
    if (values instanceof Values.Fields fields && value instanceof Map<?, ?> object) {
      fields.fields().unknown(object, path + ".", paths);
    } else if (values instanceof Values.Each each && value instanceof List<?> list) {
      for (int i = 0; i < list.size(); i++) {
        unknown(each.values(), list.get(i), path + "[" + i + "]", paths);
      }
    }
  }

  void validate(Map<String, Object> settings, String path, FieldErrors errors) {
    settings.forEach(
        (name, value) -> {
          Knob knob = rows.get(name);
          // JSON's null is "not given", as everywhere.
          if (knob != null && value != null) {
            knob.values().problem(value).ifPresent(wrong -> errors.add(path + "." + name, wrong));
          }
        });
  }

  /// A field of the object.
  ///
  /// @param name as written
  /// @param values what it takes
  /// @param ifAbsent what is done when it is not given, in words; empty = nothing
  public record Knob(String name, Values values, String ifAbsent) {}

  /// A set of values, with a name for people.
  public sealed interface Values {

    /// What is wrong with `value`; empty = it is one of these.
    Optional<String> problem(Object value);

    /// `true` or `false`.
    record Flag() implements Values {
      @Override
      public Optional<String> problem(Object value) {
        return value instanceof Boolean ? Optional.empty() : Optional.of("is not true or false");
      }

      @Override
      public String toString() {
        return "true, false";
      }
    }

    /// An integer of a range.
    record Range(long first, long last) implements Values {
      @Override
      public Optional<String> problem(Object value) {
        if (!(value instanceof Number number) || number.doubleValue() % 1 != 0) {
          return Optional.of("is not an integer");
        }
        return number.doubleValue() < first || number.doubleValue() > last
            ? Optional.of(value + " is not in " + first + ".." + last)
            : Optional.empty();
      }

      @Override
      public String toString() {
        return first + ".." + last;
      }
    }

    /// An integer of a range, or 0 for no limit.
    record Limit(long first, long last) implements Values {
      @Override
      public Optional<String> problem(Object value) {
        return value instanceof Number number && number.doubleValue() == 0
            ? Optional.empty()
            : new Range(first, last).problem(value);
      }

      @Override
      public String toString() {
        return "0 or " + first + ".." + last;
      }
    }

    /// A Differentiated Services code point (RFC 2474): its number, or its name (RFC 4594).
    record Dscp() implements Values {
      private static final Pattern NAME =
          Pattern.compile("DF|EF|AF[1-4][1-3]|CS[0-7]|VA|\\d|[1-5]\\d|6[0-3]");

      @Override
      public Optional<String> problem(Object value) {
        return NAME.matcher(value.toString()).matches()
            ? Optional.empty()
            : Optional.of(shown(value) + " is not 0..63, DF, EF, AF11..AF43 or CS0..CS7");
      }

      @Override
      public String toString() {
        return "0..63 or DF, EF, AF11..AF43, CS0..CS7";
      }
    }

    /// A duration as Go writes it.
    record Duration() implements Values {
      @Override
      public Optional<String> problem(Object value) {
        return value instanceof String text && DURATION.matcher(text).matches()
            ? Optional.empty()
            : Optional.of(shown(value) + " is not a duration such as 90s, 1m30s or 1h");
      }

      @Override
      public String toString() {
        return "duration";
      }
    }

    /// One of a few words, in any case; no text is "not given".
    record Words(List<String> words) implements Values {
      public Words {
        words = List.copyOf(words);
      }

      static Words of(String... words) {
        return new Words(List.of(words));
      }

      @Override
      public Optional<String> problem(Object value) {
        return value instanceof String text
                && (text.isEmpty() || words.stream().anyMatch(text::equalsIgnoreCase))
            ? Optional.empty()
            : Optional.of(shown(value) + " is not one of " + String.join(", ", words));
      }

      @Override
      public String toString() {
        return String.join(", ", words);
      }
    }

    /// Text of any form.
    record Text() implements Values {
      @Override
      public Optional<String> problem(Object value) {
        return value instanceof String ? Optional.empty() : Optional.of("is not text");
      }

      @Override
      public String toString() {
        return "text";
      }
    }

    /// Text of a form.
    ///
    /// @param noun what such a text is
    record Form(String noun, Pattern pattern) implements Values {
      @Override
      public Optional<String> problem(Object value) {
        return value instanceof String text && pattern.matcher(text).matches()
            ? Optional.empty()
            : Optional.of(shown(value) + " is not " + noun);
      }

      @Override
      public boolean equals(@Nullable Object other) {
        return other instanceof Form form && noun.equals(form.noun);
      }

      @Override
      public int hashCode() {
        return noun.hashCode();
      }

      @Override
      public String toString() {
        return noun;
      }
    }

    /// A selector of nodes; no text is "not given".
    record NodeSelector() implements Values {
      @Override
      public Optional<String> problem(Object value) {
        if (!(value instanceof String text)) {
          return Optional.of("is not text");
        }
        try {
          return Selector.parse(text).usesGlobal()
              ? Optional.of("global() is for the namespaceSelector of a rule only")
              : Optional.empty();
        } catch (SelectorSyntaxException wrong) {
          return Optional.of(String.valueOf(wrong.getMessage()));
        }
      }

      @Override
      public String toString() {
        return "selector";
      }
    }

    /// A regular expression.
    record Regex() implements Values {
      @Override
      public Optional<String> problem(Object value) {
        try {
          if (value instanceof String text) {
            Pattern.compile(text);
            return Optional.empty();
          }
        } catch (PatternSyntaxException wrong) {
          return Optional.of(
              shown(value) + " is not a regular expression: " + wrong.getDescription());
        }
        return Optional.of("is not text");
      }

      @Override
      public String toString() {
        return "regular expression";
      }
    }

    /// An address of a family.
    record Address(IpFamily family) implements Values {
      @Override
      public Optional<String> problem(Object value) {
        try {
          if (value instanceof String text && IpAddress.parse(text).family() == family) {
            return Optional.empty();
          }
        } catch (IllegalArgumentException notAnAddress) {
          return Optional.of(shown(value) + " is not an IPv" + family.version() + " address");
        }
        return Optional.of(shown(value) + " is not an IPv" + family.version() + " address");
      }

      @Override
      public String toString() {
        return "IPv" + family.version() + " address";
      }
    }

    /// An address or a prefix.
    record Network() implements Values {
      @Override
      public Optional<String> problem(Object value) {
        try {
          if (value instanceof String text) {
            Prefix.parseLenient(text);
            return Optional.empty();
          }
        } catch (IllegalArgumentException notAPrefix) {
          return Optional.of(shown(value) + " is not an address or prefix");
        }
        return Optional.of("is not text");
      }

      @Override
      public String toString() {
        return "prefix";
      }
    }

    /// A port or a range of ports.
    record Ports() implements Values {
      @Override
      public Optional<String> problem(Object value) {
        try {
          if (value instanceof Number || value instanceof String) {
            return Port.parse(value.toString()) instanceof Port.Named
                ? Optional.of(shown(value) + " is not a port or \"first:last\"")
                : Optional.empty();
          }
        } catch (IllegalArgumentException wrong) {
          return Optional.of(String.valueOf(wrong.getMessage()));
        }
        return Optional.of("is not a port or \"first:last\"");
      }

      @Override
      public String toString() {
        return "port or first:last";
      }
    }

    /// A list of such values.
    record Each(Values values, int atMost) implements Values {
      @Override
      public Optional<String> problem(Object value) {
        if (!(value instanceof List<?> list)) {
          return Optional.of("is not a list");
        }
        if (list.size() > atMost) {
          return Optional.of(list.size() + " entries; at most " + atMost + " are allowed");
        }
        for (int i = 0; i < list.size(); i++) {
          Optional<String> wrong = problem(list.get(i), values);
          if (wrong.isPresent()) {
            return Optional.of("entry " + i + ": " + wrong.get());
          }
        }
        return Optional.empty();
      }

      private static Optional<String> problem(@Nullable Object entry, Values values) {
        return entry == null ? Optional.of("is null") : values.problem(entry);
      }

      @Override
      public String toString() {
        return "list of: " + values;
      }
    }

    /// An object with fields of its own.
    record Fields(KnobTable fields, List<String> required) implements Values {
      public Fields {
        required = List.copyOf(required);
      }

      @Override
      public Optional<String> problem(Object value) {
        if (!(value instanceof Map<?, ?> object)) {
          return Optional.of("is not an object");
        }
        for (String field : required) {
          if (object.get(field) == null) {
            return Optional.of(field + " is required");
          }
        }
        List<String> wrong = new ArrayList<>();
        for (Knob knob : fields.knobs()) {
          Object inner = object.get(knob.name());
          if (inner != null) {
            knob.values().problem(inner).ifPresent(text -> wrong.add(knob.name() + ": " + text));
          }
        }
        return wrong.stream().findFirst();
      }

      @Override
      public boolean equals(@Nullable Object other) {
        return other instanceof Fields same && fields == same.fields;
      }

      @Override
      public int hashCode() {
        return System.identityHashCode(fields);
      }

      @Override
      public String toString() {
        return "{" + String.join(", ", fields.knobs().stream().map(Knob::name).toList()) + "}";
      }
    }

    /// An object of text by name.
    record Texts() implements Values {
      @Override
      public Optional<String> problem(Object value) {
        return value instanceof Map<?, ?> map
                && map.values().stream().allMatch(String.class::isInstance)
            ? Optional.empty()
            : Optional.of("is not an object with text for values");
      }

      @Override
      public String toString() {
        return "object of text";
      }
    }

    private static String shown(Object value) {
      return value instanceof String text
          ? "\"" + text + "\""
          : value.toString().toLowerCase(Locale.ROOT);
    }
  }
}
