package io.margay.cni.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.cni.client.ClientBinary.Run;
import io.margay.cni.protocol.CniReply;
import io.margay.cni.protocol.CniServer;
import io.margay.cni.spec.CniException;
import io.margay.cni.spec.CniJson;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The C client under the address and undefined-behaviour sanitizers: a finding ends it with exit
/// code 99.
final class SanitizedClientTest {

  private static final int MUTATIONS = 120;

  @TempDir static Path built;
  private static ClientBinary client;

  @TempDir Path runDir;

  @BeforeAll
  static void compile() throws Exception {
    client =
        ClientBinary.compile(
            built, "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all");
  }

  private static Map<String, String> env(String command) {
    Map<String, String> env = new HashMap<>();
    env.put("ASAN_OPTIONS", "detect_leaks=0:exitcode=99");
    env.put("UBSAN_OPTIONS", "exitcode=99");
    env.put("CNI_COMMAND", command);
    env.put("CNI_CONTAINERID", "c1");
    env.put("CNI_NETNS", "/proc/self/ns/net");
    env.put("CNI_NETNS_OVERRIDE", "1");
    env.put("CNI_IFNAME", "eth0");
    env.put("CNI_PATH", "/opt/cni/bin");
    return env;
  }

  private String conf() {
    return "{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"margayRunDir\":\""
        + runDir
        + "\",\"é\\u00e9\":[-1.5e+3,true,null,{}]}";
  }

  @Test
  void an_exchange_and_a_queued_deletion_are_clean() throws Exception {
    assertThat(client.run(env("DEL"), conf())).isEqualTo(new Run(0, "", ""));
    try (CniServer server =
        CniServer.start(runDir.resolve("cni.sock"), _ -> CniReply.success("ok"))) {
      assertThat(client.run(env("ADD"), conf())).isEqualTo(new Run(0, "ok", ""));
      assertThat(server).isNotNull();
    }
  }

  @Test
  void mutated_configurations_are_judged_as_the_agent_judges_them() throws Exception {
    long seed = Long.getLong("seed", 20_251);
    Random random = new Random(seed);
    byte[] good = conf().getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < MUTATIONS; i++) {
      byte[] mutated = mutate(good, random);
      Run run = client.run(env("STATUS"), mutated);
      String what =
          "seed "
              + seed
              + " run "
              + i
              + ": "
              + new String(mutated, StandardCharsets.ISO_8859_1)
              + " gave "
              + run;
      assertThat(run.exitCode()).as(what).isEqualTo(1);
      boolean refusedAsJson = run.stdout().contains("\"code\":6,");
      // A version of the wrong type is refused by the client as early as bad JSON.
      if (!run.stdout().contains("key cniVersion")) {
        assertThat(refusedAsJson).as(what).isEqualTo(!isJsonObject(mutated));
      }
    }
  }

  private static byte[] mutate(byte[] good, Random random) {
    byte[] mutated = good.clone();
    switch (random.nextInt(4)) {
      case 0 -> mutated[random.nextInt(mutated.length)] = (byte) random.nextInt(256);
      case 1 -> mutated = java.util.Arrays.copyOf(mutated, random.nextInt(mutated.length));
      case 2 ->
          mutated[random.nextInt(mutated.length)] =
              (byte) "{}[]\",:\\0-e".charAt(random.nextInt(11));
      case 3 -> {
        int at = random.nextInt(mutated.length - 1);
        byte swapped = mutated[at];
        mutated[at] = mutated[at + 1];
        mutated[at + 1] = swapped;
      }
      default -> throw new AssertionError();
    }
    return mutated;
  }

  private static boolean isJsonObject(byte[] octets) {
    try {
      CniJson.parse(octets);
      return true;
    } catch (CniException refused) {
      return false;
    }
  }
}
