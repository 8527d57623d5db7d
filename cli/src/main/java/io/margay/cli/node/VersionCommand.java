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
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.model.resource.ClusterInformation;
import io.margay.model.resource.ClusterInformationSpec;
import io.margay.model.resource.Kind;
import io.margay.model.resource.ResourceRef;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

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

  @Option(names = "--client", description = "of this program alone")
  private boolean clientOnly;

  @Option(
      names = "--api",
      paramLabel = "URL",
      defaultValue = ApiOptions.DEFAULT,
      description = "where the agent answers (default: ${DEFAULT-VALUE})")
  private String api = "";

  public VersionCommand() {
    this(EtcdDatastore::open);
  }

  VersionCommand(DatastoreOptions.Opener opener) {
    store = new DatastoreOptions(opener);
  }

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    line("Client Version:", clientVersion());
    line("Java:", Runtime.version().toString());
    int code = ExitCodes.OK;
    if (!clientOnly) {
      code = cluster();
      agent();
    }
    out.flush();
    return code;
  }

  private static String clientVersion() {
    String version = VersionCommand.class.getPackage().getImplementationVersion();
    return version == null ? "(not packaged)" : version;
  }

  private int cluster() {
    try (Datastore datastore = store.open()) {
      Optional<KeyValue> stored = datastore.get(KEY);
      if (stored.isEmpty()) {
        line("Cluster Version:", UNKNOWN + ": it has no ClusterInformation");
        return ExitCodes.OK;
      }
      Optional<Decoded> decoded =
          ResourceJson.decode(KEY, stored.get().value(), stored.get().modRevision());
      if (decoded.isPresent()
          && decoded.get() instanceof Decoded.Valid(ClusterInformation information)) {
        ClusterInformationSpec cluster = information.spec();
        line("Cluster Version:", orUnknown(cluster.calicoVersion()));
        line("Cluster Type:", orUnknown(cluster.clusterType()));
        return ExitCodes.OK;
      }
      line("Cluster Version:", UNKNOWN + ": its ClusterInformation can't be read");
      return ExitCodes.FAILED;
    } catch (DatastoreException failure) {
      line("Cluster Version:", UNKNOWN);
      spec.commandLine().getErr().println(failure.getMessage());
      spec.commandLine().getErr().flush();
      return switch (failure.kind()) {
        case UNREACHABLE, DEADLINE -> ExitCodes.UNREACHABLE;
        case UNAUTHORISED, OVERLOADED, INVALID -> ExitCodes.FAILED;
      };
    } catch (IllegalArgumentException badSettings) {
      spec.commandLine().getErr().println(badSettings.getMessage());
      spec.commandLine().getErr().flush();
      return ExitCodes.USAGE;
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
