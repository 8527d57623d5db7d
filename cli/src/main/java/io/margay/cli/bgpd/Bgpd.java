package io.margay.cli.bgpd;

import io.margay.bgp.speaker.BgpSpeaker;
import io.margay.bgp.speaker.CloseMode;
import io.margay.bgp.speaker.FibListener;
import io.margay.bgp.speaker.NextHopTracker;
import io.margay.bgp.speaker.SpeakerConfig;
import io.margay.bgp.transport.ListenAddress;
import io.margay.cli.http.HttpAddress;
import io.margay.cli.http.HttpServer;
import io.margay.cli.yaml.YamlException;
import io.margay.linux.LinuxException;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A running bgpd: one speaker, its kernel routes, its HTTP side. Started, reloaded and stopped by
/// one thread.
final class Bgpd {

  private static final Logger LOG = LoggerFactory.getLogger(Bgpd.class);

  private final StateApi api;
  private final Consumer<Throwable> failed;
  private BgpdConfig config;
  private volatile @Nullable BgpSpeaker speaker;
  private volatile @Nullable KernelFib fib;
  private @Nullable HttpServer http;

  private Bgpd(BgpdConfig config, Consumer<Throwable> failed) {
    this.config = config;
    this.failed = failed;
    this.api = new StateApi(() -> Optional.ofNullable(speaker), this::fibStatus);
  }

  /// Returns once it listens, knows its neighbors and answers HTTP.
  ///
  /// @param failed told of a bug that ended a loop; the process must end
  /// @throws IOException one line: what can't be had; then nothing is left running
  static Bgpd start(BgpdConfig config, Consumer<Throwable> failed) throws IOException {
    Bgpd bgpd = new Bgpd(config, failed);
    try {
      bgpd.http = bgpd.serve(config.http());
      bgpd.speak(config);
    } catch (IOException refused) {
      bgpd.leave();
      throw refused;
    }
    return bgpd;
  }

  private @Nullable HttpServer serve(Optional<HttpAddress> at) throws IOException {
    return at.isEmpty() ? null : HttpServer.start(at.get(), api::answer);
  }

  private void speak(BgpdConfig wanted) throws IOException {
    KernelFib kernel =
        switch (wanted.fib()) {
          case NONE -> null;
          case KERNEL -> openFib();
        };
    BgpSpeaker started =
        BgpSpeaker.prepare(
            starting(wanted.speaker(), kernel != null && kernel.hadLeftovers()),
            kernel == null ? FibListener.NONE : kernel,
            kernel == null ? NextHopTracker.NONE : kernel,
            (_, bug) -> failed.accept(bug),
            InstantSource.system(),
            new SecureRandom());
    fib = kernel;
    speaker = started;
    if (kernel != null) {
      kernel.reportTo(started::nextHops);
    }
    started.gracefulShutdown(wanted.gracefulShutdown());
    started.originate(wanted.originated());
    started.configure(wanted.neighbors());
    try {
      // Only now: a neighbor that comes before it is known would be sent away.
      started.listen(wanted.speaker().listen());
      api.ready();
    } catch (IOException refused) {
      speaker = null;
      fib = null;
      started.close(CloseMode.GRACEFUL_RESTART);
      if (kernel != null) {
        kernel.abandon();
      }
      throw refused;
    }
  }

  private KernelFib openFib() throws IOException {
    try {
      return KernelFib.start(failed);
    } catch (LinuxException refused) {
      throw new IOException(
          "fib: kernel: " + refused.getMessage() + "; bgpd needs CAP_NET_ADMIN for it", refused);
    }
  }

  /// A start with kernel routes of an earlier process is a restart: selection waits until the
  /// neighbors have told all (RFC 4724 §4.1). Without any there is nothing to lose by selecting at
  /// once.
  private static SpeakerConfig starting(SpeakerConfig config, boolean isRestart) {
    SpeakerConfig.Restart given = config.restart();
    return with(
        config,
        config.listen(),
        new SpeakerConfig.Restart(
            given.enabled(), given.time(), given.deferral(), isRestart, given.forwardingKept()));
  }

  private static SpeakerConfig with(
      SpeakerConfig config, Set<ListenAddress> listen, SpeakerConfig.Restart restart) {
    return new SpeakerConfig(
        config.asn(),
        config.routerId(),
        config.clusterId(),
        listen,
        config.nextHops(),
        config.multipath(),
        restart,
        config.gracefulShutdown(),
        config.defaultLocalPref());
  }

  /// Whether a running speaker can become what is wanted.
  private static boolean isSameSpeaker(BgpdConfig before, BgpdConfig after) {
    return before.fib() == after.fib()
        && with(before.speaker(), Set.of(), before.speaker().restart())
            .equals(with(after.speaker(), Set.of(), after.speaker().restart()));
  }

  /// Takes the file's present content in; what can't be read or done leaves everything as it was.
  void reload(Path file) {
    BgpdConfig wanted;
    try {
      wanted = BgpdConfig.read(file);
    } catch (YamlException unusable) {
      LOG.atError()
          .addKeyValue("reason", unusable.getMessage())
          .log("the new configuration is unusable; the old one stays in force");
      return;
    }
    try {
      if (!wanted.http().equals(config.http())) {
        rebind(wanted.http());
      }
      BgpSpeaker running = speaker;
      if (running != null && isSameSpeaker(config, wanted)) {
        running.gracefulShutdown(wanted.gracefulShutdown());
        running.originate(wanted.originated());
        running.configure(wanted.neighbors());
        running.listen(wanted.speaker().listen());
      } else {
        restart(wanted);
      }
      config = wanted;
      LOG.atInfo()
          .addKeyValue("neighbors", wanted.neighbors().size())
          .log("the new configuration is in force");
    } catch (IOException | IllegalArgumentException refused) {
      LOG.atError()
          .addKeyValue("reason", refused.getMessage())
          .log("the new configuration can't be put in force");
    }
  }

  private void rebind(Optional<HttpAddress> at) throws IOException {
    HttpServer old = http;
    HttpServer fresh = serve(at);
    http = fresh;
    if (old != null) {
      old.close();
    }
  }

  private void restart(BgpdConfig wanted) throws IOException {
    LOG.atWarn()
        .addKeyValue("from", config.speaker())
        .addKeyValue("to", wanted.speaker())
        .log("what a speaker is for its life has changed; all sessions are reset");
    if (wanted.fib() == FibMode.KERNEL) {
      // First, or it would carry out the withdrawals of a speaker that ends.
      closeFib(true);
      closeSpeaker();
    } else {
      closeSpeaker();
      closeFib(false);
    }
    try {
      speak(wanted);
    } catch (IOException refused) {
      speak(config);
      throw refused;
    }
  }

  /// From any thread; empty without kernel routes.
  private Optional<FibStatus> fibStatus() {
    return Optional.ofNullable(fib).map(KernelFib::status);
  }

  /// Tells every neighbor, then removes the kernel routes.
  void stop() {
    closeSpeaker();
    closeFib(false);
    leave();
  }

  private void closeSpeaker() {
    BgpSpeaker running = speaker;
    speaker = null;
    if (running != null) {
      running.close(CloseMode.SHUTDOWN, "bgpd is stopped");
    }
  }

  private void closeFib(boolean keepsRoutes) {
    KernelFib running = fib;
    fib = null;
    if (running != null && keepsRoutes) {
      running.abandon();
    } else if (running != null) {
      running.removeAll();
    }
  }

  /// Frees what the process holds without touching sessions or routes.
  private void leave() {
    HttpServer server = http;
    http = null;
    if (server != null) {
      server.close();
    }
  }
}
