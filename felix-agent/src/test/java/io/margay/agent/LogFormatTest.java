package io.margay.agent;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;

final class LogFormatTest {

  @Test
  void it_is_what_logback_finds() {
    assertThat(ServiceLoader.load(Configurator.class)).hasAtLeastOneElementOfType(LogFormat.class);
  }

  @Test
  @ResourceLock(Resources.SYSTEM_ERR)
  void an_event_is_one_line_with_time_level_class_words_and_values() {
    PrintStream err = System.err;
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
    LoggerContext logback = new LoggerContext();
    logback.setMDCAdapter(new LogbackMDCAdapter());
    try {
      LogFormat format = new LogFormat();
      format.setContext(logback);
      format.configure(logback);
      logback
          .getLogger("io.margay.agent.NodeAgent")
          .atInfo()
          .addKeyValue("node", "n1")
          .log("something happened");
      logback.getLogger("io.margay.agent.NodeAgent").debug("a detail");
      logback.getLogger("com.example.Library").info("chatter");
      logback.getLogger("io.etcd.jetcd.Client").warn("told by ourselves");
    } finally {
      logback.stop();
      System.setErr(err);
    }
    assertThat(said.toString(StandardCharsets.UTF_8))
        .matches(
            "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}(Z|[+-]\\d\\d:\\d\\d) INFO  NodeAgent"
                + " something happened node=\"n1\"\n");
  }
}
