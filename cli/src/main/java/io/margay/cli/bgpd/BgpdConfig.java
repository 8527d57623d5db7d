package io.margay.cli.bgpd;

import io.margay.bgp.speaker.OriginatedRoute;
import io.margay.bgp.speaker.PeerConfig;
import io.margay.cli.http.HttpAddress;
import io.margay.cli.yaml.YamlException;
import io.margay.model.net.Asn;
import io.margay.model.net.RouterId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What a configuration file asks for (docs/bgpd.md).
///
/// @param identity what only a new speaker can change
/// @param neighbors by the file's order, no two for one address or range
/// @param originated own prefixes
/// @param http where state is served; empty: nowhere
record BgpdConfig(
    Identity identity,
    List<PeerConfig> neighbors,
    Set<OriginatedRoute> originated,
    Optional<HttpAddress> http) {

  BgpdConfig {
    neighbors = List.copyOf(neighbors);
    originated = Set.copyOf(originated);
  }

  /// What a speaker is for its life: a change restarts it, and with it every session.
  ///
  /// @param clusterId our CLUSTER_ID as a reflector (RFC 4456 §7), as 32 bits
  /// @param listen empty: connections are only made, none accepted
  /// @param maxPaths most next hops of one kernel route
  /// @param restartTime how long peers are asked to keep our routes while bgpd is gone
  /// @param selectionDeferral longest wait for End-of-RIB after a restart
  record Identity(
      Asn asn,
      RouterId routerId,
      int clusterId,
      List<ListenAddress> listen,
      FibMode fib,
      int maxPaths,
      boolean multipathRelax,
      Duration restartTime,
      Duration selectionDeferral) {
    Identity {
      listen = List.copyOf(listen);
    }
  }

  /// @throws YamlException one line: file, key path and what was expected
  static BgpdConfig read(Path file) throws YamlException {
    String text;
    try {
      text = Files.readString(file);
    } catch (IOException unreadable) {
      throw new YamlException(
          file
              + ": expected a readable configuration file, got "
              + unreadable.getClass().getSimpleName());
    }
    return ConfigReader.parse(file.toString(), text);
  }
}
