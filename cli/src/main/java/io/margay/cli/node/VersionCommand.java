package io.margay.cli.node;

import com.fasterxml.jackson.databind.json.JsonMapper;
import io.margay.cli.ExitCodes;
import io.margay.cli.http.HttpClient;
import io.margay.cli.resource.DatastoreOptions;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.etcd.EtcdDatastore;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.GoDuration;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.care.Pause;
import io.margay.model.resource.ClusterInformation;
import io.margay.model.resource.ClusterInformationSpec;
import io.margay.model.resource.Kind;
import io.margay.model.resource.ResourceRef;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/// `margay version`: of this program, of the cluster, of the agent on this node.
@Command(
    name = "version",
    description = {
      "Versions of this program, of what last wrote to the cluster, and of the agent on this node.",
      "Waits a few seconds at most for either."
    })
public final class VersionCommand implements Callable<Integer> {

  private static final String KEY =
      ResourceKeys.key(ResourceRef.global(Kind.CLUSTER_INFORMATION, "default"));
  private static final String UNKNOWN = "unknown";

  @Mixin private final DatastoreOptions store;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--poll",
      paramLabel = "INTERVAL",
      converter = Interval.class,
      defaultValue = "0",
      description = {
        "look at the cluster again and again, such as every 1s, 10m or 2h, and print what changes,",
        "until interrupted; 0 (the default) looks once"
      })
  private Duration poll = Duration.ZERO;

  @Option(names = "--client", description = "of this program alone")
  private boolean clientOnly;

  @Option(
      names = "--api",
      paramLabel = "URL",
      defaultValue = ApiOptions.DEFAULT,
      description = "where the agent answers (default: ${DEFAULT-VALUE})")
  private String api = "";

  private final Pause pause;

  /// What was printed last of the cluster.
  private final Map<String, String> told = new HashMap<>();

  public VersionCommand() {
    this(EtcdDatastore::open, duration -> TimeUnit.NANOSECONDS.sleep(duration.toNanos()));
  }

  /// @param pause lets time pass between two looks at the cluster
  VersionCommand(DatastoreOptions.Opener opener, Pause pause) {
    this.store = new DatastoreOptions(opener);
    this.pause = pause;
  }

  /// As Go writes durations, and not backwards.
  static final class Interval implements ITypeConverter<Duration> {
    @Override
    public Duration convert(String text) {
      try {
        Duration interval = GoDuration.parse(text);
        if (!interval.isNegative()) {
          return interval;
        }
      } catch (IllegalArgumentException notOne) {
        throw new TypeConversionException(notOne.getMessage());
      }
      throw new TypeConversionException("\"" + text + "\" is in the past");
    }
  }

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    line("Client Version:", clientVersion());
    line("Java:", Runtime.version().toString());
    int code = clientOnly ? ExitCodes.OK : cluster();
    out.flush();
    return code;
  }

  private static String clientVersion() {
    String version = VersionCommand.class.getPackage().getImplementationVersion();
    return version == null ? "(not packaged)" : version;
  }

  private int cluster() {
    try (Datastore datastore = store.open()) {
      int code = look(datastore);
      agent();
      while (!poll.isZero()) {
        spec.commandLine().getOut().flush();
        pause.wait(poll);
        code = look(datastore);
      }
      return code;
    } catch (DatastoreException unopened) {
      int code = unknown(unopened);
      agent();
      return code;
    } catch (IllegalArgumentException badSettings) {
      complain(String.valueOf(badSettings.getMessage()));
      return ExitCodes.USAGE;
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      return ExitCodes.FAILED;
    }
  }

  private int look(Datastore datastore) {
    try {
      Optional<KeyValue> stored = datastore.get(KEY);
      if (stored.isEmpty()) {
        tell("Cluster Version:", UNKNOWN + ": it has no ClusterInformation");
        return ExitCodes.OK;
      }
      Optional<Decoded> decoded =
          ResourceJson.decode(KEY, stored.get().value(), stored.get().modRevision());
      if (decoded.isPresent()
          && decoded.get() instanceof Decoded.Valid(ClusterInformation information)) {
        ClusterInformationSpec cluster = information.spec();
        tell("Cluster Version:", orUnknown(cluster.calicoVersion()));
        tell("Cluster Type:", orUnknown(cluster.clusterType()));
        return ExitCodes.OK;
      }
      tell("Cluster Version:", UNKNOWN + ": its ClusterInformation can't be read");
      return ExitCodes.FAILED;
    } catch (DatastoreException failure) {
      return unknown(failure);
    }
  }

  /// When the cluster answers again, all of it is news.
  private int unknown(DatastoreException failure) {
    told.clear();
    tell("Cluster Version:", UNKNOWN);
    complain(String.valueOf(failure.getMessage()));
    return switch (failure.kind()) {
      case UNREACHABLE, DEADLINE -> ExitCodes.UNREACHABLE;
      case UNAUTHORISED, OVERLOADED, INVALID -> ExitCodes.FAILED;
    };
  }

  private void complain(String what) {
    spec.commandLine().getErr().println(what);
    spec.commandLine().getErr().flush();
  }

  private void tell(String what, String value) {
    if (!value.equals(told.put(what, value))) {
      line(what, value);
    }
  }

  /// A machine without an agent is no failure: operators' machines have none.
  private void agent() {
    try (HttpClient.Response response = new HttpClient(api).get("/api/v1/status")) {
      String version = new JsonMapper().readTree(response.body()).path("version").asText();
      line("Agent Version:", version.isEmpty() ? UNKNOWN : version);
    } catch (IOException | IllegalArgumentException absent) {
      line("Agent Version:", "none answers at " + api);
    }
  }

  private static String orUnknown(@Nullable String text) {
    return text == null || text.isEmpty() ? UNKNOWN : text;
  }

  private void line(String what, String value) {
    spec.commandLine().getOut().println("%-18s %s".formatted(what, value));
  }
}
