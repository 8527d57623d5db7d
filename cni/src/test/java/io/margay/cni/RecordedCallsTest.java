package io.margay.cni;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.cni.protocol.CniReply;
import io.margay.cni.protocol.CniVariable;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.MacAddress;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What runtimes really send, call by call. In the files, `$NETNS` stands for the pod's namespace
/// and `"$RESULT"` for what the last ADD answered.
final class RecordedCallsTest {

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "containerd-cri",
        "ctr",
        "podman",
        "crio",
        "nomad",
        "mesos",
        "rkt",
        "multus",
        "cloud-foundry"
      })
  void a_runtimes_calls_succeed_and_leave_nothing(String runtime) throws IOException {
    VerbsBench bench = new VerbsBench(directory);
    bench.network.foreign =
        Optional.of(
            new PodNetwork.ForeignWire(
                new InterfaceName("s-010255014003"), MacAddress.parse("ee:ee:0a:ff:0e:03"), 1500));
    String result = "{}";
    for (JsonNode step : read(runtime)) {
      Map<CniVariable, String> env = new EnumMap<>(CniVariable.class);
      for (CniVariable variable : CniVariable.values()) {
        if (step.get("env").has(variable.variable())) {
          env.put(variable, filled(step.get("env").get(variable.variable()).asText()));
        }
      }
      String command = step.get("env").get("CNI_COMMAND").asText();
      String conf = filled(step.get("stdin").toString()).replace("\"$RESULT\"", result);
      CniReply reply = bench.call(command, env, conf);
      assertThat(reply.exitCode()).as(command + ": " + reply.stdout()).isZero();
      if (command.equals("ADD")) {
        result = reply.stdout().strip();
      }
      for (JsonNode part : step.path("contains")) {
        assertThat(reply.stdout()).contains(filled(part.asText()));
      }
      if (step.has("attachmentsLeft")) {
        assertThat(bench.journal.all()).hasSize(step.get("attachmentsLeft").asInt());
      }
    }
    bench.assertNothingIsLeft();
  }

  private static String filled(String text) {
    return text.replace("$NETNS", VerbsBench.OWN_NETNS.toString());
  }

  private static JsonNode read(String runtime) throws IOException {
    try (InputStream in =
        Objects.requireNonNull(
            RecordedCallsTest.class.getResourceAsStream("/calls/" + runtime + ".json"), runtime)) {
      return VerbsBench.JSON.readTree(in);
    }
  }
}
