package io.margay.agent.dataplane;

import io.margay.linux.LinuxException;
import io.margay.linux.route.RouteTable;
import java.time.Duration;
import java.util.Optional;

/// What packets between nodes are wrapped by, as the dataplane sees it. Belongs to the dataplane
/// loop.
public interface Overlay {

  /// How soon what others did to devices, forwarding entries and neighbours is found.
  Duration RESYNC = Duration.ofSeconds(10);

  /// Nothing is wrapped.
  Overlay NONE =
      new Overlay() {
        @Override
        public Optional<String> settle(RouteTable routes) {
          return Optional.empty();
        }

        @Override
        public boolean hasNews() {
          return false;
        }

        @Override
        public void doubt() {}
      };

  /// Brings the kernel to what is desired, but for the routes, of which it says what is wanted.
  ///
  /// @return what stands in the way and will not go by itself
  /// @throws LinuxException when the kernel refused something: asked again, it tries again
  Optional<String> settle(RouteTable routes) throws LinuxException;

  /// Whether something else has come to be desired since the last [#settle].
  boolean hasNews();

  /// Believes nothing any more: the next [#settle] reads the kernel.
  void doubt();
}
