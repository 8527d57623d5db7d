package io.margay.agent;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.spi.ContextAwareBase;
import ch.qos.logback.core.status.NopStatusListener;
import org.slf4j.Logger;

/// How a daemon logs: a line an event to standard error, the least level from `MARGAY_LOG_LEVEL`.
/// Written out here because to read the same from an XML document takes a twentieth of the agent's
/// start; who names one in `logback.configurationFile` gets that.
public final class LogFormat extends ContextAwareBase implements Configurator {

  private static final String PATTERN =
      "%d{\"yyyy-MM-dd'T'HH:mm:ss.SSSXXX\"} %-5level %logger{0} %msg %kvp%n%ex{full}";

  @Override
  public ExecutionStatus configure(LoggerContext logback) {
    if (System.getProperty("logback.configurationFile") != null) {
      return ExecutionStatus.INVOKE_NEXT_IF_ANY;
    }
    // Else it would say on standard error that a console is slow.
    logback.getStatusManager().add(new NopStatusListener());
    PatternLayoutEncoder line = new PatternLayoutEncoder();
    line.setContext(logback);
    line.setPattern(PATTERN);
    line.start();
    ConsoleAppender<ILoggingEvent> stderr = new ConsoleAppender<>();
    stderr.setContext(logback);
    stderr.setName("stderr");
    stderr.setTarget("System.err");
    stderr.setEncoder(line);
    stderr.start();
    ch.qos.logback.classic.Logger root = logback.getLogger(Logger.ROOT_LOGGER_NAME);
    root.setLevel(Level.WARN);
    root.addAppender(stderr);
    logback
        .getLogger("io.margay")
        .setLevel(Level.toLevel(System.getenv("MARGAY_LOG_LEVEL"), Level.INFO));
    // Each failed call is logged twice there, and told by our own exception.
    logback.getLogger("io.etcd.jetcd").setLevel(Level.ERROR);
    return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
  }
}
