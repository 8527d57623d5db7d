package io.margay.cli;

import io.margay.cni.protocol.CniClient;
import io.margay.cni.protocol.CniReply;
import io.margay.cni.protocol.CniRequest;
import io.margay.cni.protocol.CniVariable;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `margay cni`: what `margay-cni` does, for machines without the C client. Environment and stdin
/// are the plugin's; a JVM starts for every call.
@Command(
    name = "cni",
    description = {
      "The CNI plugin as a Java process, for machines that the C client was not built for.",
      "Reads CNI_* and the network configuration as a plugin does; prints the plugin's answer."
    })
public final class CniCommand implements Callable<Integer> {

  /// As the C client: more than any network configuration.
  private static final int MAX_STDIN = 1 << 20;

  @Option(
      names = "--run-dir",
      paramLabel = "DIR",
      defaultValue = "/run/margay",
      description = "the agent's run directory (default: ${DEFAULT-VALUE})")
  private Path runDir = Path.of("");

  @Override
  public Integer call() {
    Map<CniVariable, String> environment = new EnumMap<>(CniVariable.class);
    for (CniVariable variable : CniVariable.values()) {
      String value = System.getenv(variable.variable());
      if (value != null) {
        environment.put(variable, value);
      }
    }
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    try {
      byte[] stdin = System.in.readNBytes(MAX_STDIN + 1);
      if (stdin.length > MAX_STDIN) {
        out.println(
            "{\"cniVersion\":\"1.0.0\",\"code\":6,\"msg\":\"the network configuration is longer than "
                + MAX_STDIN
                + " octets\"}");
        return ExitCodes.FAILED;
      }
      CniReply reply =
          new CniClient(runDir.resolve("cni.sock"))
              .exchange(new CniRequest(environment, "margay-cni", stdin));
      out.print(reply.stdout());
      System.err.print(reply.stderr());
      return reply.exitCode();
    } catch (IOException unreachable) {
      out.println(
          "{\"cniVersion\":\"1.0.0\",\"code\":11,\"msg\":\"no agent answers on "
              + runDir
              + "/cni.sock; is margay agent running?\"}");
      return ExitCodes.FAILED;
    }
  }
}
