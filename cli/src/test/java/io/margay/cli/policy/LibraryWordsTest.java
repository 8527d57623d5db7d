package io.margay.cli.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LibraryWordsTest {

  private static final List<String> CHAINS =
      IntStream.range(0, 20_000).mapToObj(i -> "chain-with-a-name-" + i).toList();

  private static LibraryWords of(String script, Duration patience) throws IOException {
    return LibraryWords.of(new ProcessBuilder("sh", "-c", script).start(), CHAINS, patience);
  }

  @Test
  void a_process_that_complains_of_every_chain_does_not_stand_still() throws IOException {
    LibraryWords words =
        of(
            "while read -r chain; do echo \"no words for $chain\" >&2; done;"
                + " printf '7\\taccept\\n8\\tdrop\\n'",
            Duration.ofSeconds(60));
    assertThat(words.byHandle()).isEqualTo(Map.of(7L, "accept", 8L, "drop"));
    assertThat(words.trouble()).isEqualTo("no words for chain-with-a-name-0");
  }

  @Test
  void what_one_that_gave_up_has_said_counts() throws IOException {
    LibraryWords words =
        of("printf '7\\taccept\\n'; echo assertion failed >&2; exit 134", Duration.ofSeconds(60));
    assertThat(words.byHandle()).isEqualTo(Map.of(7L, "accept"));
    assertThat(words.trouble()).endsWith("gives up on them: assertion failed");
  }

  @Test
  void one_that_never_answers_is_ended() throws IOException {
    LibraryWords words = of("cat >/dev/null; exec sleep 600", Duration.ofMillis(300));
    assertThat(words.byHandle()).isEmpty();
    assertThat(words.trouble()).startsWith("libnftables did not answer");
  }
}
