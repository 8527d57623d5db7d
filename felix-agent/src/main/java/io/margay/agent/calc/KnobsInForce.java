package io.margay.agent.calc;

import io.margay.model.resource.FelixConfiguration;
import io.margay.model.resource.FelixConfigurationSpec;
import io.margay.model.selector.LabelLookup;
import io.margay.model.selector.Selector;
import io.margay.model.selector.SelectorSyntaxException;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Which knobs of FelixConfiguration a node goes by, as Felix has it since v3.32: what is set for
/// the node goes before what is set for nodes with its labels, and that before what is set for all.
/// Of several configurations whose `nodeSelector` picks the node, the oldest counts and the others
/// don't: so that a new one does not disturb what works.
final class KnobsInForce {

  private static final String FOR_ALL = "default";
  private static final String FOR_A_NODE = "node.";
  private static final String NODE_SELECTOR = "nodeSelector";

  private static final Comparator<FelixConfiguration> OLDEST_FIRST =
      Comparator.<FelixConfiguration, Instant>comparing(
              configuration ->
                  Objects.requireNonNullElse(
                      configuration.metadata().creationTimestamp(), Instant.MIN))
          .thenComparing(configuration -> configuration.metadata().name());

  private final String forNode;
  private final Map<String, FelixConfiguration> known = new TreeMap<>();
  private @Nullable Map<String, String> labels;

  KnobsInForce(String nodeName) {
    this.forNode = FOR_A_NODE + nodeName;
  }

  void onUpdate(String name, @Nullable FelixConfiguration value) {
    if (value == null) {
      known.remove(name);
    } else {
      known.put(name, value);
    }
  }

  /// @param now null: the node has no resource, and no selector picks it
  /// @return whether they are others than before
  boolean setLabels(@Nullable Map<String, String> now) {
    boolean isOther = !Objects.equals(now, labels);
    labels = now;
    return isOther;
  }

  /// The settings in force.
  Map<String, Object> settings() {
    Map<String, Object> settings = new HashMap<>();
    put(known.get(FOR_ALL), settings);
    selecting().stream().findFirst().ifPresent(oldest -> put(oldest, settings));
    put(known.get(forNode), settings);
    return settings;
  }

  private static void put(
      @Nullable FelixConfiguration configuration, Map<String, Object> settings) {
    if (configuration != null) {
      configuration
          .spec()
          .settings()
          .forEach(
              (name, value) -> {
                // JSON's null is "not given".
                if (value != null && !name.equals(NODE_SELECTOR)) {
                  settings.put(name, value);
                }
              });
    }
  }

  /// What is wrong with the whole of them.
  Optional<String> problem() {
    List<FelixConfiguration> selecting = selecting();
    return selecting.size() < 2
        ? Optional.empty()
        : Optional.of(
            NODE_SELECTOR
                + ": "
                + String.join(", ", selecting.stream().map(each -> each.metadata().name()).toList())
                + " all select this node; only the oldest, "
                + selecting.getFirst().metadata().name()
                + ", has effect");
  }

  /// The configurations whose selector picks the node, the one that counts first.
  private List<FelixConfiguration> selecting() {
    Map<String, String> own = labels;
    return own == null
        ? List.of()
        : known.values().stream()
            .filter(configuration -> isForLabels(configuration.metadata().name()))
            .filter(configuration -> selects(configuration.spec(), own))
            .sorted(OLDEST_FIRST)
            .toList();
  }

  private static boolean isForLabels(String name) {
    return !name.equals(FOR_ALL) && !name.startsWith(FOR_A_NODE);
  }

  private static boolean selects(FelixConfigurationSpec spec, Map<String, String> labels) {
    if (!(spec.settings().get(NODE_SELECTOR) instanceof String text) || text.isEmpty()) {
      return false;
    }
    try {
      return Selector.parse(text).matches(LabelLookup.of(labels));
    } catch (SelectorSyntaxException _) {
      return false;
    }
  }
}
