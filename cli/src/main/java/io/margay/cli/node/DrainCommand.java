package io.margay.cli.node;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.agent.bgp.DrainOrder;
import io.margay.cli.ExitCodes;
import io.margay.cli.http.HttpClient;
import io.margay.cli.resource.DatastoreOptions;
import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.care.Pause;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Node;
import io.margay.model.resource.ResourceRef;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `margay node drain` and `undrain`: the order is an annotation of the Node resource, which its
/// agent follows; where the agent can be asked, it is waited for.
abstract sealed class DrainCommand implements Callable<Integer> {

  /// Writes tried while others keep changing the Node.
  private static final int MAX_ATTEMPTS = 8;

  /// How often the agent is asked.
  private static final Duration ASKING = Duration.ofMillis(500);

  /// How long the agent may take beyond what it was told to wait.
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /// What the commands need of the world outside.
  ///
  /// @param pause lets time pass between two questions
  record Surroundings(DatastoreOptions.Opener opener, InstantSource clock, Pause pause) {}

  private final InstantSource clock;
  private final Pause pause;

  @Mixin private final DatastoreOptions datastore;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(index = "0", paramLabel = "NODE", description = "the Node resource's name")
  private String name = "";

  @Option(
      names = "--api",
      paramLabel = "URL",
      defaultValue = ApiOptions.DEFAULT,
      description = "the node's agent, to wait for it (default: ${DEFAULT-VALUE})")
  private String api = "";

  private DrainCommand(Surroundings surroundings) {
    this.datastore = new DatastoreOptions(surroundings.opener());
    this.clock = surroundings.clock();
    this.pause = surroundings.pause();
  }

  /// Marks what the node announces, waits, withdraws it.
  @Command(
      name = "drain",
      mixinStandardHelpOptions = true,
      description = {
        "Get a node out of the way of traffic: what it announces is marked GRACEFUL_SHUTDOWN",
        "(RFC 8326), so that routers take other ways, and withdrawn after --wait. Sessions stay,"
            + " and",
        "so does the order, through restarts, until margay node undrain."
      })
  static final class Drain extends DrainCommand {

    private static final Pattern DURATION = Pattern.compile("(\\d{1,4})(s|m)?");

    @Option(
        names = "--wait",
        paramLabel = "TIME",
        defaultValue = "30s",
        description = "how long routers are warned, such as 30s or 2m (default: ${DEFAULT-VALUE})")
    private String waiting = "";

    Drain(Surroundings surroundings) {
      super(surroundings);
    }

    @Override
    Optional<DrainOrder> order(Instant now) {
      Matcher form = DURATION.matcher(waiting);
      if (!form.matches()) {
        throw new IllegalArgumentException(
            "--wait " + waiting + ": expected a time such as 30s or 2m");
      }
      long number = Long.parseLong(form.group(1));
      Duration wait =
          "m".equals(form.group(2)) ? Duration.ofMinutes(number) : Duration.ofSeconds(number);
      return Optional.of(new DrainOrder(now, wait));
    }

    @Override
    String goal() {
      return "drained";
    }
  }

  /// Announces it again.
  @Command(
      name = "undrain",
      mixinStandardHelpOptions = true,
      description = "Let a node announce its routes again.")
  static final class Undrain extends DrainCommand {

    Undrain(Surroundings surroundings) {
      super(surroundings);
    }

    @Override
    Optional<DrainOrder> order(Instant now) {
      return Optional.empty();
    }

    @Override
    String goal() {
      return "none";
    }
  }

  /// @return empty to take the order back
  /// @throws IllegalArgumentException when the options make none
  abstract Optional<DrainOrder> order(Instant now);

  /// What the agent's `drain.state` is when it is done.
  abstract String goal();

  @Override
  public final Integer call() throws InterruptedException {
    Optional<DrainOrder> order;
    try {
      order = order(clock.instant());
    } catch (IllegalArgumentException impossible) {
      return fail(String.valueOf(impossible.getMessage()), ExitCodes.USAGE);
    }
    try (Datastore store = datastore.open()) {
      Optional<String> refused = write(store, order);
      if (refused.isPresent()) {
        return fail("Node " + name + ": " + refused.get(), ExitCodes.FAILED);
      }
    } catch (DatastoreException failure) {
      boolean isAway =
          switch (failure.kind()) {
            case UNREACHABLE, DEADLINE -> true;
            case UNAUTHORISED, OVERLOADED, INVALID -> false;
          };
      return fail(
          String.valueOf(failure.getMessage()), isAway ? ExitCodes.UNREACHABLE : ExitCodes.FAILED);
    } catch (IllegalArgumentException badSettings) {
      return fail(String.valueOf(badSettings.getMessage()), ExitCodes.USAGE);
    }
    return await(order.map(DrainOrder::warning).orElse(Duration.ZERO));
  }

  /// @return why it can't be written; empty: it is
  private Optional<String> write(Datastore store, Optional<DrainOrder> order)
      throws DatastoreException {
    String key = ResourceKeys.key(new ResourceRef(Kind.NODE, "", name));
    for (int attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      Optional<KeyValue> stored = store.get(key);
      if (stored.isEmpty()) {
        return Optional.of("does not exist");
      }
      Optional<Decoded> read =
          ResourceJson.decode(key, stored.get().value(), stored.get().modRevision());
      if (!(read.orElse(null) instanceof Decoded.Valid(Node node))) {
        return Optional.of("is stored, but is not valid; get it, then replace it");
      }
      Map<String, String> annotations = new TreeMap<>(node.metadata().annotations());
      if (order.isPresent()) {
        String before = annotations.get(DrainOrder.ANNOTATION);
        annotations.put(DrainOrder.ANNOTATION, order.get().after(before).toString());
      } else {
        annotations.remove(DrainOrder.ANNOTATION);
      }
      Node changed = node.withMetadata(node.metadata().withAnnotations(annotations));
      if (changed.equals(node)
          || store.commit(Txn.replace(stored.get(), ResourceJson.encode(changed)))
              instanceof CommitResult.Committed) {
        return Optional.empty();
      }
    }
    return Optional.of("others changed it " + MAX_ATTEMPTS + " times meanwhile; try again");
  }

  private int await(Duration wait) throws InterruptedException {
    Instant givenUp = clock.instant().plus(wait).plus(PATIENCE);
    String seen = "";
    while (true) {
      JsonNode status;
      try (HttpClient.Response response = new HttpClient(api).get("/api/v1/status")) {
        status = ApiOptions.whole(response.body());
      } catch (IOException unreachable) {
        return unseen("its agent can't be asked at " + api, wait);
      } catch (IllegalArgumentException malformed) {
        return fail("--api " + malformed.getMessage(), ExitCodes.USAGE);
      }
      if (!status.path("nodeName").asText().equals(name)) {
        return unseen(
            "the agent at " + api + " is that of node " + status.path("nodeName").asText(), wait);
      }
      String state = status.path("drain").path("state").asText();
      if (!state.equals(seen)) {
        seen = state;
        say(name + ": " + words(state));
      }
      if (state.equals(goal())) {
        return ExitCodes.OK;
      }
      if (clock.instant().isAfter(givenUp)) {
        return fail(
            "Node "
                + name
                + ": the order is written, but its agent has not done it; margay node status there"
                + " says more",
            ExitCodes.FAILED);
      }
      pause.wait(ASKING);
    }
  }

  private static String words(String state) {
    return switch (state) {
      case "none" -> "announces its routes";
      case "marked" -> "what it announces is marked GRACEFUL_SHUTDOWN";
      case "withdrawing" -> "withdraws its routes";
      case "drained" -> "drained, no peer has a route of it";
      default -> state;
    };
  }

  /// The order is given, nobody here sees it done.
  private int unseen(String why, Duration wait) {
    say(
        "Node "
            + name
            + ": the order is written; "
            + why
            + ", so that it is not waited for. A running agent is done "
            + (wait.isZero() ? "at once" : "in " + wait.toSeconds() + " s")
            + ": margay node status on the node says drain.state "
            + goal());
    return ExitCodes.OK;
  }

  private void say(String line) {
    PrintWriter out = spec.commandLine().getOut();
    out.println(line);
    out.flush();
  }

  private int fail(String line, int code) {
    PrintWriter err = spec.commandLine().getErr();
    err.println(line);
    err.flush();
    return code;
  }
}
