package io.margay.bgp.speaker;

import io.margay.bgp.message.Community;
import io.margay.bgp.policy.ExportMode;
import io.margay.bgp.policy.ImportMode;
import io.margay.bgp.policy.PeerPolicy;
import io.margay.bgp.transport.ListenAddress;
import io.margay.bgp.transport.Password;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.net.RouterId;
import io.margay.model.net.ScopedAddress;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;

/// A speaker as a process of its own, for tests against other daemons: settings as `key=value`
/// arguments, commands on stdin, one line per event on stdout.
final class SpeakerMain {

  private SpeakerMain() {}

  public static void main(String[] args) throws IOException {
    Map<String, String> settings = new HashMap<>();
    for (String argument : args) {
      int equals = argument.indexOf('=');
      settings.put(argument.substring(0, equals), argument.substring(equals + 1));
    }
    RecordingFib fib = new RecordingFib();
    FibListener printing =
        new FibListener() {
          @Override
          public void onRoutes(FibDelta delta) {
            fib.onRoutes(delta);
            System.out.println("FIB " + fib.text());
          }

          @Override
          public void onReadyToSweep(IpFamily family) {
            System.out.println("SWEEP " + family);
          }
        };
    BgpSpeaker speaker =
        BgpSpeaker.start(
            SpeakerConfig.builder(
                    Asn.parse(need(settings, "asn")), RouterId.parse(need(settings, "id")))
                .listen(
                    Set.of(
                        ListenAddress.of(ScopedAddress.parse("0.0.0.0"), Connection.DEFAULT_PORT),
                        ListenAddress.of(ScopedAddress.parse("::"), Connection.DEFAULT_PORT)))
                .nextHops(
                    Map.of(
                        IpFamily.IPV4, IpAddress.parse(need(settings, "v4")),
                        IpFamily.IPV6, IpAddress.parse(need(settings, "v6"))))
                .restart(
                    new SpeakerConfig.Restart(
                        Boolean.parseBoolean(need(settings, "gr")),
                        Duration.ofSeconds(60),
                        Duration.ofSeconds(10),
                        Boolean.parseBoolean(need(settings, "restarting")),
                        true))
                .build(),
            printing,
            InstantSource.system(),
            new Random());
    originate(speaker, need(settings, "originate"));
    speaker.configure(peers(settings));
    System.out.println("READY");
    BufferedReader commands =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    String command = commands.readLine();
    while (command != null) {
      if (command.startsWith("originate ")) {
        originate(speaker, command.substring("originate ".length()));
      } else if (command.equals("status")) {
        System.out.println("STATUS " + speaker.status());
      } else if (command.equals("routes")) {
        System.out.println("ROUTES " + speaker.routes());
      }
      command = commands.readLine();
    }
    speaker.close(CloseMode.SHUTDOWN);
  }

  private static String need(Map<String, String> settings, String key) {
    String value = settings.get(key);
    if (value == null) {
      throw new IllegalArgumentException("setting " + key + " is missing");
    }
    return value;
  }

  private static void originate(BgpSpeaker speaker, String prefixes) {
    speaker.originate(
        prefixes.isEmpty()
            ? Set.of()
            : Set.of(prefixes.split(",")).stream()
                .map(
                    prefix ->
                        new OriginatedRoute(
                            Prefix.parse(prefix), Set.of(Community.parse("65001:100"))))
                .collect(Collectors.toSet()));
  }

  /// `address@asn` separated by commas.
  private static List<PeerConfig> peers(Map<String, String> settings) {
    List<PeerConfig> peers = new ArrayList<>();
    String password = settings.get("password");
    for (String text : need(settings, "peers").split(",")) {
      int at = text.indexOf('@');
      peers.add(
          PeerConfig.builder(
                  ScopedAddress.parse(text.substring(0, at)),
                  Asn.parse(text.substring(at + 1)),
                  PeerPolicy.builder()
                      .importMode(ImportMode.ACCEPT)
                      .exportMode(ExportMode.OWN)
                      .build())
              .families(Set.of(IpFamily.values()))
              .passive(Boolean.parseBoolean(settings.getOrDefault("passive", "false")))
              .password(password == null ? null : new Password(password))
              .holdTime(Duration.ofSeconds(9))
              .connectRetry(Duration.ofSeconds(1))
              .build());
    }
    return peers;
  }
}
