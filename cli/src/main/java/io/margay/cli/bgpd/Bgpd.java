package io.margay.cli.bgpd;

import io.margay.agent.http.BgpApi;
import io.margay.bgp.speaker.BgpSpeaker;
import io.margay.bgp.speaker.CloseMode;
import io.margay.bgp.speaker.FibDelta;
import io.margay.bgp.speaker.FibListener;
import io.margay.cli.http.HttpAddress;
import io.margay.cli.http.HttpServer;
import io.margay.cli.yaml.YamlException;
import io.margay.model.net.IpFamily;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A running bgpd: one speaker, its kernel routes, its HTTP side. Started, reloaded and stopped by
/// one thread.
final class Bgpd {

  private static final Logger LOG = LoggerFactory.getLogger(Bgpd.class);

  private static final FibListener NO_FIB =
      new FibListener() {
        @Override
        public void onRoutes(FibDelta delta) {}

        @Override
        public void onReadyToSweep(IpFamily family) {}
      };

  private final BgpApi api;
  private BgpdConfig config;
  private volatile @Nullable BgpSpeaker speaker;
  private @Nullable HttpServer http;

  private Bgpd(BgpdConfig config) {
    this.config = config;
    this.api = new BgpApi(() -> Optional.ofNullable(speaker), InstantSource.system());
  }

  /// Returns once it listens, knows its neighbors and answers HTTP.
  ///
  /// @throws IOException one line: what can't be had; then nothing is left running
  static Bgpd start(BgpdConfig config) throws IOException {
    Bgpd bgpd = new Bgpd(config);
    try {
      bgpd.http = bgpd.serve(config.http());
      bgpd.speaker = bgpd.speak(config);
    } catch (IOException refused) {
      bgpd.stop();
      throw refused;
    }
    return bgpd;
  }

  private @Nullable HttpServer serve(Optional<HttpAddress> at) throws IOException {
    return at.isEmpty() ? null : HttpServer.start(at.get(), api::answer);
  }

  private BgpSpeaker speak(BgpdConfig wanted) throws IOException {
    BgpSpeaker started =
        BgpSpeaker.start(wanted.speaker(), NO_FIB, InstantSource.system(), new SecureRandom());
    started.originate(wanted.originated());
    started.configure(wanted.neighbors());
    started.status(); // answered after the neighbors were taken in
    return started;
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
      if (!wanted.speaker().equals(config.speaker()) || wanted.fib() != config.fib()) {
        restart(wanted);
      } else {
        BgpSpeaker running = speaker;
        if (running != null) {
          running.originate(wanted.originated());
          running.configure(wanted.neighbors());
        }
      }
      config = wanted;
      LOG.atInfo()
          .addKeyValue("neighbors", wanted.neighbors().size())
          .log("the new configuration is in force");
    } catch (IOException refused) {
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
    BgpSpeaker old = speaker;
    speaker = null;
    if (old != null) {
      old.close(CloseMode.SHUTDOWN);
    }
    try {
      speaker = speak(wanted);
    } catch (IOException refused) {
      speaker = speak(config);
      throw refused;
    }
  }

  /// Tells every neighbor, then removes what is ours.
  void stop() {
    BgpSpeaker running = speaker;
    speaker = null;
    if (running != null) {
      running.close(CloseMode.SHUTDOWN);
    }
    HttpServer server = http;
    http = null;
    if (server != null) {
      server.close();
    }
  }
}
