package io.margay.cli.policy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.cli.ExitCodes;
import io.margay.cli.datastore.StoreCommand;
import io.margay.cli.resource.DatastoreOptions;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.json.EndpointSliceDocuments;
import io.margay.datastore.json.ResourceKeys;
import io.margay.linux.nft.NftException;
import io.margay.model.resource.PolicyType;
import io.margay.policy.oracle.Flow;
import io.margay.policy.oracle.Step;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `margay why drop SRC DST PORT/PROTO`: what the policies of either end say to a packet, and what
/// this node's kernel does with it.
@Command(
    name = "drop",
    mixinStandardHelpOptions = true,
    description = {
      "Says whether a packet may go from SRC to DST, and which rule on which node decides.",
      "Reads the policies from the datastore; with --live also watches the packets of the node it"
          + " runs on."
    })
final class WhyDropCommand extends StoreCommand {

  /// The formats of `-o`.
  enum Format {
    json
  }

  private static final int MAX_LIVE_SECONDS = 600;

  @Parameters(
      index = "0",
      paramLabel = "SRC",
      description = "namespace/pod or an IP address, a node's too")
  private String source = "";

  @Parameters(
      index = "1",
      paramLabel = "DST",
      description = "namespace/pod or an IP address, a node's too")
  private String destination = "";

  @Parameters(
      index = "2",
      paramLabel = "PORT/PROTO",
      description = "for example 80/tcp, 53/udp, 7000/sctp; or icmp")
  private String what = "";

  @Option(
      names = "--live",
      paramLabel = "SECONDS",
      description =
          "trace such packets in this node's kernel for so long (as root; 1 to "
              + MAX_LIVE_SECONDS
              + "), whichever tool's tables drop them")
  private @Nullable Integer live;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      description = "json (default: text)")
  private @Nullable Format output;

  WhyDropCommand(DatastoreOptions.Opener opener) {
    super(opener);
  }

  /// Roles made for Calico know nothing of services' endpoints; all else can be judged without.
  private void listSlices(Datastore datastore, List<KeyValue> stored) throws DatastoreException {
    try {
      datastore.list(EndpointSliceDocuments.PREFIX, stored::add);
    } catch (DatastoreException refused) {
      if (refused.kind() != DatastoreException.Kind.UNAUTHORISED) {
        throw refused;
      }
      err()
          .println(
              "margay: this user may not read "
                  + EndpointSliceDocuments.PREFIX
                  + ": rules that name services are judged as if these had no endpoints");
    }
  }

  @Override
  protected int run(Datastore datastore) throws DatastoreException, IOException {
    if (live != null && (live < 1 || live > MAX_LIVE_SECONDS)) {
      throw new IllegalArgumentException(
          "--live " + live + " is not in 1.." + MAX_LIVE_SECONDS + " seconds");
    }
    ObjectNode question = question();
    List<KeyValue> stored = new ArrayList<>();
    datastore.list(ResourceKeys.ROOT, stored::add);
    listSlices(datastore, stored);
    World world = WorldReader.ofStore(stored, PodReader.Wiring.ONE_NODE);
    world.warnings().forEach(warning -> err().println("margay: " + warning));
    Engine rules = Engine.Choice.rules.of(world);
    rules.problems().forEach(problem -> err().println("margay: " + problem));
    Evaluation evaluation = new Evaluation(world, rules);
    Flow flow;
    List<String> path = new ArrayList<>();
    JsonNode answer;
    try {
      Probe probe = Probe.read(question);
      flow = evaluation.flow(probe);
      ArrayNode probes = JsonNodeFactory.instance.arrayNode().add(question);
      answer = new Answers(evaluation).answer(probes).get(0);
      OracleEngine oracle = new OracleEngine(world);
      if (answer.path("egress").isObject()) {
        steps(evaluation, source, PolicyType.EGRESS, oracle, flow, path);
      }
      if (answer.path("ingress").isObject()) {
        steps(evaluation, destination, PolicyType.INGRESS, oracle, flow, path);
      }
    } catch (ProbeException unanswerable) {
      return fail("margay why drop: " + unanswerable.getMessage(), ExitCodes.USAGE);
    }
    LiveTrace.Seen seen = live == null ? null : watch(flow, Duration.ofSeconds(live));
    if (output == Format.json) {
      ObjectNode document = (ObjectNode) answer.deepCopy();
      ArrayNode steps = document.putArray("steps");
      path.forEach(steps::add);
      if (seen != null) {
        document.set("live", seen.toJson());
      }
      out().println(document.toPrettyString());
    } else {
      new WhyDropText(evaluation, answer, flow).print(out(), path, seen);
    }
    return ExitCodes.OK;
  }

  private LiveTrace.Seen watch(Flow flow, Duration time) throws IOException {
    try {
      return new LiveTrace(flow, warning -> err().println("margay: " + warning)).watch(time);
    } catch (NftException refused) {
      throw new IOException("--live: " + refused.getMessage(), refused);
    }
  }

  /// As a probe.
  private ObjectNode question() {
    ObjectNode probe = JsonNodeFactory.instance.objectNode();
    probe.put("from", source).put("to", destination);
    String[] parts = what.split("/", -1);
    String protocol = parts[parts.length - 1].toUpperCase(Locale.ROOT);
    if (parts.length == 1 && protocol.equals("ICMP")) {
      return probe.put("protocol", protocol);
    }
    if (parts.length != 2) {
      throw new IllegalArgumentException(
          "\"" + what + "\" is not PORT/PROTO, as in 80/tcp, nor icmp");
    }
    try {
      probe.put("port", Integer.parseInt(parts[0]));
    } catch (NumberFormatException notANumber) {
      throw new IllegalArgumentException(
          "\"" + parts[0] + "\" in " + what + " is not a port number", notANumber);
    }
    return probe.put("protocol", protocol);
  }

  /// What of the end's policies had a say, in order.
  private static void steps(
      Evaluation evaluation,
      String end,
      PolicyType direction,
      OracleEngine oracle,
      Flow flow,
      List<String> path)
      throws ProbeException {
    List<Step> steps = new ArrayList<>();
    Pod pod = evaluation.pod(end);
    if (pod != null && pod.endpoint() != null) {
      steps.addAll(oracle.steps(flow, pod.endpoint(), direction));
    }
    evaluation.host(end).ifPresent(host -> steps.addAll(oracle.steps(flow, host, direction)));
    steps.forEach(step -> path.add(direction.name().toLowerCase(Locale.ROOT) + ": " + step));
  }
}
