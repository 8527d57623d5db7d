package io.margay.agent;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.margay.agent.settings.AgentSettings;
import io.margay.ipam.care.GarbageCollector;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

class LiveSettingsTest {

  private static final Logger LOGGER = (Logger) LoggerFactory.getLogger(LiveSettings.class);

  @TempDir private Path directory;
  private final ListAppender<ILoggingEvent> log = new ListAppender<>();
  private final List<AgentSettings> told = new ArrayList<>();
  private String password = "hunter2";
  private LiveSettings live;

  @BeforeEach
  void start() throws Exception {
    write("");
    live = new LiveSettings(AgentSettings.read(file(), Map.of()), told::add);
    log.start();
    LOGGER.addAppender(log);
  }

  @AfterEach
  void leave() {
    LOGGER.detachAppender(log);
  }

  private Path file() {
    return directory.resolve("agent.yaml");
  }

  private void write(String more) throws Exception {
    Files.writeString(
        file(),
        """
        nodeName: n1
        datastore:
          endpoints: ["http://10.0.0.5:2379"]
          user: node
          password: %s
        bgp: {ipv4: "interface=^eth0$"}
        """
                .formatted(password)
            + more);
  }

  private List<String> reload(String more) throws Exception {
    write(more);
    log.list.clear();
    live.reload(file(), Map.of());
    return log.list.stream()
        .map(line -> line.getLevel() + " " + line.getMessage() + " " + line.getKeyValuePairs())
        .toList();
  }

  @Test
  void what_can_change_in_a_running_agent_does_and_each_key_is_told_with_both_values()
      throws Exception {
    List<String> lines = reload("log: debug\ngc: 'on'\nreclaimAfterSeconds: 5\n");
    assertThat(lines).hasSize(3).allMatch(line -> line.startsWith("INFO a setting has changed"));
    assertThat(lines.get(0)).contains("key=\"log\"", "from=\"info\"", "to=\"debug\"");
    assertThat(lines.get(1)).contains("key=\"gc\"", "from=\"dry-run\"", "to=\"on\"");
    assertThat(lines.get(2)).contains("key=\"reclaimAfterSeconds\"", "from=\"30\"", "to=\"5\"");
    assertThat(live.inForce().gc()).isEqualTo(GarbageCollector.Mode.ON);
    assertThat(told).containsExactly(live.inForce());
    assertThat(reload("")).as("and back").hasSize(3);
  }

  @Test
  void what_needs_a_restart_is_named_and_stays_as_it_is_without_showing_secrets() throws Exception {
    AgentSettings before = live.inForce();
    password = "hunter3";
    List<String> lines = reload("reserve: 3\nlog: warn\nfirstPool: {ipv4: 10.0.0.0/16}\n");
    assertThat(lines).hasSize(4);
    assertThat(lines)
        .filteredOn(line -> line.startsWith("WARN"))
        .hasSize(3)
        .allMatch(line -> line.contains("applies when the agent is restarted"));
    assertThat(lines.toString())
        .contains("key=\"datastore.password\"", "key=\"reserve\"", "key=\"firstPool\"")
        .doesNotContain("hunter");
    assertThat(live.inForce().reserve()).isEqualTo(before.reserve());
    assertThat(live.inForce().log()).isEqualTo(AgentSettings.LogLevel.WARN);
  }

  @Test
  void an_unusable_file_is_told_in_one_line_and_changes_nothing() throws Exception {
    AgentSettings before = live.inForce();
    List<String> lines = reload("log: loud\ngc: 'on'\n");
    assertThat(lines)
        .singleElement()
        .asString()
        .contains("ERROR", "the old ones stay in force", file().toString(), "log: expected one of");
    assertThat(live.inForce()).isSameAs(before);
    assertThat(told).isEmpty();
  }

  @Test
  void the_same_file_again_changes_nothing_and_says_so() throws Exception {
    assertThat(reload(""))
        .singleElement()
        .asString()
        .contains("INFO the settings are those in force");
    assertThat(told).isEmpty();
  }
}
