package io.margay.cni;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.protocol.CniCall;
import io.margay.cni.protocol.CniReply;
import io.margay.cni.protocol.CniRequest;
import io.margay.cni.protocol.CniVariable;
import io.margay.cni.protocol.DeletionQueue;
import io.margay.cni.spec.CniError;
import io.margay.linux.netns.Netns;
import io.margay.linux.socket.OwnedFd;
import io.margay.model.k8s.KubernetesPod;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// The verbs on in-memory ports, called as a runtime calls them. The pod's namespace is this
/// process's own; the agent's is some other one.
final class VerbsBench {

  static final ObjectMapper JSON = new ObjectMapper();
  static final Path OWN_NETNS = Path.of("/proc/self/ns/net");

  final Path directory;
  final InMemoryAddresses addresses;
  final InMemoryNetwork network;
  final InMemoryPolicy policy = new InMemoryPolicy();
  final AttachmentJournal journal;
  final CniVerbs verbs;
  Optional<CniError> readiness = Optional.empty();
  Optional<KubernetesPod> said = Optional.empty();
  boolean abandoned;

  VerbsBench(Path directory) throws IOException {
    this(directory, new ReleaseQueue(Runnable::run));
  }

  VerbsBench(Path directory, ReleaseQueue releases) throws IOException {
    this(directory, releases, new InMemoryAddresses(), new InMemoryNetwork(), Mortality.NONE);
  }

  /// @param mortality when the process dies
  VerbsBench(
      Path directory,
      ReleaseQueue releases,
      InMemoryAddresses addresses,
      InMemoryNetwork network,
      Mortality mortality)
      throws IOException {
    this.directory = directory;
    this.addresses = addresses;
    this.network = network;
    this.journal = AttachmentJournal.open(directory);
    this.verbs =
        new CniVerbs(
            new CniNode("node-1", "cali", 1500, new Netns.NetnsId(1, 1)),
            journal,
            mortality.of(PodAddresses.class, addresses),
            mortality.of(PodNetwork.class, network),
            mortality.of(EndpointPolicy.class, policy),
            _ -> said,
            releases,
            new DeletionQueue(directory.resolve("delq")),
            (_, _) -> readiness);
  }

  static Map<CniVariable, String> pod(String container) {
    Map<CniVariable, String> env = new EnumMap<>(CniVariable.class);
    env.put(CniVariable.CONTAINERID, container);
    env.put(CniVariable.NETNS, OWN_NETNS.toString());
    env.put(CniVariable.IFNAME, "eth0");
    env.put(CniVariable.PATH, "/opt/cni/bin");
    env.put(CniVariable.ARGS, "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0");
    return env;
  }

  CniReply call(String program, String command, Map<CniVariable, String> env, String conf)
      throws IOException {
    return call(program, command, env, conf.getBytes(StandardCharsets.UTF_8));
  }

  CniReply call(String program, String command, Map<CniVariable, String> env, byte[] conf)
      throws IOException {
    Map<CniVariable, String> full = new HashMap<>(env);
    full.put(CniVariable.COMMAND, command);
    CniRequest request = new CniRequest(full, program, conf);
    if (full.getOrDefault(CniVariable.NETNS, "").isEmpty()) {
      return verbs.handle(
          new CniCall(request, Optional.empty(), Optional.empty(), () -> abandoned));
    }
    try (OwnedFd fd = OwnedFd.openForReading(OWN_NETNS)) {
      return verbs.handle(new CniCall(request, Optional.empty(), Optional.of(fd), () -> abandoned));
    }
  }

  CniReply call(String command, Map<CniVariable, String> env, String conf) throws IOException {
    return call("margay-cni", command, env, conf);
  }

  static JsonNode succeeded(CniReply reply) throws IOException {
    assertThat(reply.exitCode()).as(reply.stdout()).isZero();
    return JSON.readTree(reply.stdout());
  }

  static JsonNode failed(int code, CniReply reply) throws IOException {
    assertThat(reply.exitCode()).as(reply.stdout()).isEqualTo(1);
    JsonNode error = JSON.readTree(reply.stdout());
    assertThat(error.get("code").asInt()).as(reply.stdout()).isEqualTo(code);
    return error;
  }

  void assertNothingIsLeft() {
    assertThat(addresses.handles).isEmpty();
    assertThat(addresses.endpoints).isEmpty();
    assertThat(network.wires).isEmpty();
    assertThat(network.equipped).isEmpty();
    assertThat(policy.applied).isEmpty();
    assertThat(journal.all()).isEmpty();
  }
}
