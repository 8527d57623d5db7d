package io.margay.policy;

import static io.margay.policy.testing.Things.labels;
import static io.margay.policy.testing.Things.sel;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.selector.Selector;
import io.margay.policy.testing.Gen;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class LabelIndexTest {

  private static final String[] SELECTORS = {
    "all()",
    "a == '1'",
    "a == '2'",
    "a != '1'",
    "a in {'1', '2'}",
    "a in {}",
    "has(b)",
    "!has(b)",
    "b starts with '1'",
    "a == '1' && b == '1'",
    "a == '1' || b == '1'",
    "has(a) && b != '1'",
    "projectcalico.org/namespace == '1' && a == '1'",
    "a == '1' && a == '2'"
  };
  private static final String[] KEYS = {"a", "b", "projectcalico.org/namespace"};

  /// Remembers the matches that are on; refuses one that begins twice or ends without having begun.
  private static final class Matches implements LabelIndex.Listener<String, String> {
    private final TreeSet<String> on = new TreeSet<>();

    @Override
    public void onMatchStarted(String selector, String item) {
      assertThat(on.add(selector + " " + item)).as("%s %s starts", selector, item).isTrue();
    }

    @Override
    public void onMatchStopped(String selector, String item) {
      assertThat(on.remove(selector + " " + item)).as("%s %s stops", selector, item).isTrue();
    }
  }

  private record Item(Map<String, String> labels, List<String> parents) {}

  @Test
  void matches_are_those_of_brute_force_after_every_change() {
    Gen.forSeeds(200, LabelIndexTest::tryChanges);
  }

  private static void tryChanges(Gen gen) {
    Matches matches = new Matches();
    LabelIndex<String, String> index = new LabelIndex<>(matches);
    Map<String, Selector> selectors = new TreeMap<>();
    Map<String, Item> items = new TreeMap<>();
    Map<String, Map<String, String>> parents = new TreeMap<>();
    for (int step = 0; step < 60; step++) {
      String name = String.valueOf(gen.between(1, 5));
      switch (gen.between(0, 6)) {
        case 0, 1 -> {
          Selector selector = sel(gen.oneOf(SELECTORS));
          selectors.put("s" + name, selector);
          index.putSelector("s" + name, selector);
        }
        case 2 -> {
          selectors.remove("s" + name);
          index.removeSelector("s" + name);
        }
        case 3, 4 -> {
          Item item = new Item(randomLabels(gen), gen.someOf("p1", "p2", "p3", "p1"));
          items.put("i" + name, item);
          index.putItem("i" + name, item.labels, item.parents);
        }
        case 5 -> {
          items.remove("i" + name);
          index.removeItem("i" + name);
        }
        default -> {
          Map<String, String> labels = randomLabels(gen);
          parents.put("p" + name, labels);
          index.putParent("p" + name, labels);
        }
      }
      assertThat(matches.on).isEqualTo(bruteForce(selectors, items, parents));
    }
  }

  private static Map<String, String> randomLabels(Gen gen) {
    Map<String, String> labels = new HashMap<>();
    for (String key : gen.someOf(KEYS)) {
      labels.put(key, gen.oneOf("1", "2"));
    }
    return labels;
  }

  private static Set<String> bruteForce(
      Map<String, Selector> selectors,
      Map<String, Item> items,
      Map<String, Map<String, String>> parents) {
    Set<String> matches = new TreeSet<>();
    selectors.forEach(
        (selector, expression) ->
            items.forEach(
                (name, item) -> {
                  Map<String, String> all = new HashMap<>();
                  for (String parent : item.parents.reversed()) {
                    all.putAll(parents.getOrDefault(parent, Map.of()));
                  }
                  all.putAll(item.labels);
                  if (expression.matches(all::get)) {
                    matches.add(selector + " " + name);
                  }
                }));
    return matches;
  }

  @Test
  void a_selector_that_demands_a_label_is_not_tried_on_items_without_it() {
    List<String> anchors = new ArrayList<>();
    for (String text :
        List.of(
            "projectcalico.org/orchestrator == 'k8s' && app == 'x'",
            "has(app) && projectcalico.org/namespace == 'a' && role == 'r'",
            "has(app) && role in {'r', 's'}",
            "app starts with 'x'",
            "app != 'x'",
            "app == 'x' || app == 'y'")) {
      LabelAnchor best = LabelAnchor.best(LabelAnchor.of(sel(text).root()));
      anchors.add(best == null ? "none" : best.key() + " " + best.values());
    }
    assertThat(anchors)
        .containsExactly(
            "app [x]",
            "projectcalico.org/namespace [a]",
            "role [r, s]",
            "app null",
            "none",
            "none");
  }

  @Test
  void repeats_are_silent() {
    Matches matches = new Matches();
    LabelIndex<String, String> index = new LabelIndex<>(matches);
    index.putSelector("s", sel("a == '1'"));
    index.putItem("i", labels("a=1"), List.of("p"));
    index.putItem("i", labels("a=1"), List.of("p"));
    index.putSelector("s", sel("a == '1'"));
    index.removeItem("j");
    index.removeSelector("t");
    assertThat(matches.on).containsExactly("s i");
  }
}
