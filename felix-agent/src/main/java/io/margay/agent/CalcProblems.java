package io.margay.agent;

import io.margay.model.resource.ResourceRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What of settings and resources is not followed or enforced as written: each is logged once for
/// as long as it is, and views name the first. Belongs to the calc loop.
final class CalcProblems {

  private static final Logger LOG = LoggerFactory.getLogger(CalcProblems.class);

  /// Problems that views name; the log names all.
  private static final int MAX_SHOWN = 100;

  private List<String> settings = List.of();
  private Map<ResourceRef, String> resources = Map.of();

  /// These are all there are now.
  void tell(List<String> settingsNow, Map<ResourceRef, String> resourcesNow) {
    settingsNow.stream()
        .filter(problem -> !settings.contains(problem))
        .forEach(
            problem ->
                LOG.atWarn()
                    .addKeyValue("problem", problem)
                    .log("a setting is not followed as written"));
    settings = List.copyOf(settingsNow);
    resourcesNow.forEach(
        (ref, problem) -> {
          if (!problem.equals(resources.get(ref))) {
            LOG.atWarn()
                .addKeyValue("resource", ref)
                .addKeyValue("problem", problem)
                .log("a resource is not enforced as written");
          }
        });
    resources = Map.copyOf(resourcesNow);
  }

  int count() {
    return settings.size() + resources.size();
  }

  /// A line for each; beyond the limit, how many more there are.
  List<String> shown() {
    List<String> lines = new ArrayList<>(settings);
    new TreeMap<>(resources).forEach((ref, problem) -> lines.add(ref + ": " + problem));
    int more = lines.size() - MAX_SHOWN;
    if (more <= 0) {
      return List.copyOf(lines);
    }
    lines.subList(MAX_SHOWN, lines.size()).clear();
    lines.add("and " + more + " more; the agent's log names each");
    return List.copyOf(lines);
  }
}
