package io.margay.agent.http;

import io.dropwizard.core.Application;
import io.dropwizard.core.Configuration;
import io.dropwizard.core.setup.Bootstrap;
import io.dropwizard.core.setup.Environment;
import io.margay.agent.settings.AgentSettings.HttpAddress;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.http.HttpServletResponse;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import org.eclipse.jetty.server.Server;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The agent's HTTP side on Dropwizard. Nothing on a pod's way to its network waits for it, and its
/// failure costs the views, not the node.
public final class HttpRim extends Application<Configuration> implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(HttpRim.class);
  private static final int MAX_THREADS = 12;

  private final HttpAddress address;
  private final AgentViews views;
  private final PrometheusRegistry registry;
  private volatile @Nullable Server server;
  private volatile @Nullable Throwable failure;

  public HttpRim(HttpAddress address, AgentViews views, PrometheusRegistry registry) {
    this.address = address;
    this.views = views;
    this.registry = registry;
  }

  /// Starts listening; returns when requests are answered.
  ///
  /// @throws Exception when the address can't be taken: the message of Jetty or the kernel
  public void start() throws Exception {
    run("server", "inline");
    Throwable failed = failure;
    if (failed != null) {
      throw new IllegalStateException("HTTP on " + address + ": " + failed.getMessage(), failed);
    }
  }

  @Override
  public String getName() {
    return "margay";
  }

  /// Logging is the process's own; Dropwizard leaves it alone.
  @Override
  protected void bootstrapLogging() {}

  @Override
  protected void onFatalError(Throwable cause) {
    failure = cause;
  }

  @Override
  public void initialize(Bootstrap<Configuration> bootstrap) {
    byte[] configuration =
        """
        server:
          type: simple
          applicationContextPath: /
          adminContextPath: /dropwizard
          minThreads: 4
          maxThreads: %d
          connector: {type: http, bindHost: "%s", port: %d, acceptorThreads: 1, selectorThreads: 1}
          requestLog: {appenders: []}
        logging: {type: external}
        """
            .formatted(MAX_THREADS, address.host(), address.port())
            .getBytes(StandardCharsets.UTF_8);
    bootstrap.setConfigurationSourceProvider(path -> new ByteArrayInputStream(configuration));
  }

  @Override
  public void run(Configuration configuration, Environment environment) {
    environment.jersey().register(new StateResource(views));
    environment.jersey().register(new MetricsResource(registry));
    environment.healthChecks().register("agent", new Ready(views));
    closeAdmin(environment);
    environment
        .lifecycle()
        .addServerLifecycleListener(
            started -> {
              // The agent stops its parts itself, in order; a second stop from Jetty's own hook
              // would race it.
              started.setStopAtShutdown(false);
              server = started;
            });
  }

  /// Dropwizard's own side has tasks that collect garbage and set log levels for anybody who asks.
  private static void closeAdmin(Environment environment) {
    Filter closed =
        (request, response, chain) ->
            ((HttpServletResponse) response).sendError(HttpServletResponse.SC_NOT_FOUND);
    environment
        .admin()
        .addFilter("closed", closed)
        .addMappingForUrlPatterns(EnumSet.of(DispatcherType.REQUEST), false, "/*");
  }

  @Override
  public void close() {
    Server running = server;
    if (running != null) {
      try {
        running.stop();
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
      } catch (Exception unclean) {
        LOG.atWarn()
            .addKeyValue("address", address)
            .setCause(unclean)
            .log("HTTP did not stop cleanly");
      }
    }
  }

  private static final class Ready extends com.codahale.metrics.health.HealthCheck {
    private final AgentViews views;

    Ready(AgentViews views) {
      this.views = views;
    }

    @Override
    protected Result check() {
      return views.health().values().stream().allMatch(part -> part.live() && part.ready())
          ? Result.healthy()
          : Result.unhealthy(views.health().toString());
    }
  }
}
