package io.margay.cli.bgpd;

import io.margay.bgp.speaker.OriginatedRoute;
import io.margay.bgp.speaker.PeerConfig;
import io.margay.bgp.speaker.SpeakerConfig;
import io.margay.cli.http.HttpAddress;
import io.margay.cli.yaml.YamlException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What a configuration file asks for (docs/bgpd.md).
///
/// @param speaker fixed for a speaker's life: a change needs a new one, and resets every session
/// @param fib where the best routes go; changes with the speaker
/// @param gracefulShutdown whether the node is being drained (RFC 8326)
/// @param neighbors in the file's order, no two for one address or range
/// @param originated own prefixes
/// @param http where state is served; empty: nowhere
record BgpdConfig(
    SpeakerConfig speaker,
    FibMode fib,
    boolean gracefulShutdown,
    List<PeerConfig> neighbors,
    Set<OriginatedRoute> originated,
    Optional<HttpAddress> http) {

  BgpdConfig {
    neighbors = List.copyOf(neighbors);
    originated = Set.copyOf(originated);
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
