package io.margay.cli.ipam;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.cli.ExitCodes;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.ipam.care.GarbageCollector;
import io.margay.ipam.care.GarbageCollector.Mode;
import io.margay.ipam.care.GarbageLimits;
import io.margay.ipam.care.GarbageRole;
import io.margay.ipam.care.GarbageVerdict;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Garbage collection by hand: judges vanished nodes, and says of everything else who could.
@Command(
    name = "gc",
    mixinStandardHelpOptions = true,
    description = {
      "Judge every address by its witnesses and, with --apply, free what two agree on.",
      "From here only vanished nodes can be judged; pods on a living node are judged by its agent",
      "(its setting gc). Exit code 1 if a migration holds the datastore."
    })
final class GcCommand extends IpamCommand {

  /// Rounds after the grace period: pods, then the node's own addresses, then its claims.
  private static final int MAX_ROUNDS = 10;

  private static final Pattern DURATION = Pattern.compile("(\\d{1,6})([smh])");

  @Option(
      names = "--apply",
      description = "look twice, the grace period apart, and free; without, look once and tell")
  private boolean apply;

  @Option(
      names = "--grace",
      paramLabel = "DURATION",
      description = "how long a node must be missing and silent (default: ${DEFAULT-VALUE})",
      defaultValue = "15m")
  private String grace = "15m";

  @Option(
      names = "--node-gone",
      paramLabel = "NODE",
      description =
          "you know that this node, of which there is no Node any more, never comes back; your word"
              + " stands for its silence; repeatable")
  private List<String> nodesGone = List.of();

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      description = "${COMPLETION-CANDIDATES} (default: text)",
      defaultValue = "text")
  private Output output = Output.text;

  GcCommand(IpamCommands.Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  int run(Datastore datastore) throws DatastoreException, InterruptedException {
    Duration wait = duration(grace);
    GarbageCollector collector =
        new GarbageCollector(
            datastore,
            () -> read(datastore),
            surroundings().clock(),
            GarbageLimits.DEFAULT.withGrace(wait));
    GarbageRole role = new GarbageRole(Optional.empty(), true, Set.copyOf(nodesGone));
    GarbageCollector.Round round = collector.round(role, Mode.DRY_RUN);
    if (round.locked() && apply) {
      return fail(
          "the datastore is locked for a migration; nothing was freed. margay datastore unlock ends"
              + " that",
          ExitCodes.FAILED);
    }
    List<GarbageVerdict> released = new ArrayList<>();
    int blocks = 0;
    if (apply) {
      pause("looking again in " + grace, wait);
      for (int i = 0; i < MAX_ROUNDS; i++) {
        round = collector.round(role, Mode.ON);
        released.addAll(round.released());
        blocks += round.blocks().size();
        if (round.released().isEmpty() && round.blocks().isEmpty()) {
          break;
        }
      }
    }
    if (output == Output.json) {
      printJson(round, released, blocks);
    } else {
      printText(round, released, blocks);
    }
    return ExitCodes.OK;
  }

  private static Duration duration(String text) {
    Matcher matcher = DURATION.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "--grace " + text + ": expected a number and s, m or h, such as 15m");
    }
    long number = Long.parseLong(matcher.group(1));
    return switch (matcher.group(2)) {
      case "s" -> Duration.ofSeconds(number);
      case "m" -> Duration.ofMinutes(number);
      default -> Duration.ofHours(number);
    };
  }

  private void printText(GarbageCollector.Round round, List<GarbageVerdict> released, int blocks) {
    released.forEach(verdict -> out().print(line("freed ", verdict)));
    int idle = 0;
    for (GarbageVerdict verdict : round.decision().verdicts()) {
      switch (verdict.outcome()) {
        case SUSPECT -> out().print(line("suspected ", verdict));
        case RELEASE -> out().print(line(apply ? "not freed " : "would be freed ", verdict));
        case KEEP -> {
          if (verdict.reason().startsWith("endpoint ")) {
            idle++;
          } else {
            out().print(line("kept ", verdict));
          }
        }
      }
    }
    out().println(idle + " handles in use");
    if (apply) {
      out()
          .println(
              released.stream().mapToInt(one -> one.addresses().size()).sum()
                  + " addresses freed, "
                  + blocks
                  + " blocks given back");
    } else {
      out().println("nothing was freed: --apply looks again after " + grace + " and frees");
    }
  }

  private static String line(String verb, GarbageVerdict verdict) {
    List<String> addresses = verdict.addresses().keySet().stream().map(Object::toString).toList();
    return wrapped(verb, String.join(", ", addresses) + " of " + verdict.handle())
        + wrapped("  ", verdict.reason());
  }

  private void printJson(GarbageCollector.Round round, List<GarbageVerdict> released, int blocks) {
    ObjectNode document = JsonMapper.builder().build().createObjectNode();
    document.put("applied", apply);
    ArrayNode freed = document.putArray("freed");
    released.forEach(verdict -> write(freed.addObject(), verdict));
    document.put("blocks", blocks);
    ArrayNode verdicts = document.putArray("verdicts");
    round.decision().verdicts().forEach(verdict -> write(verdicts.addObject(), verdict));
    out().println(document.toPrettyString());
  }

  private static void write(ObjectNode item, GarbageVerdict verdict) {
    item.put("handle", verdict.handle()).put("node", verdict.node());
    ArrayNode addresses = item.putArray("addresses");
    verdict
        .addresses()
        .forEach(
            (address, number) ->
                addresses.addObject().put("ip", address.toString()).put("sequenceNumber", number));
    item.put("outcome", verdict.outcome().name());
    item.put("reason", verdict.reason());
    verdict.since().ifPresent(since -> item.put("since", since.toString()));
    ArrayNode endpoints = item.putArray("endpoints");
    verdict.endpoints().forEach(endpoints::add);
  }
}
