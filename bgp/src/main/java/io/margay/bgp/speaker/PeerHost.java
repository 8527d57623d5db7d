package io.margay.bgp.speaker;

import io.margay.model.net.ScopedAddress;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// What a {@link PeerSession} needs of the speaker it lives in. On the loop of the sessions only,
/// but for {@link #clock} and {@link #rib}.
interface PeerHost {

  SpeakerConfig speaker();

  SessionClock clock();

  RandomGenerator random();

  Network network();

  RibLoop rib();

  /// Whether this node is still in the middle of its own restart.
  boolean isRestarting();

  /// A session is up, or its configuration has changed.
  void watch(PeerSession session, ConfigDiff.Session agreed);

  void sessionDown(PeerSession session);

  /// Nothing of the peer is left; see {@link PeerSession#isQuiet}.
  void quiet(PeerSession session);

  /// What BFD says of the peer; null: none runs.
  @Nullable String bfd(ScopedAddress peer);

  /// A bug: the speaker ends.
  void failed(Throwable bug);
}
