package io.margay.agent;

import io.margay.linux.LinuxException;
import io.margay.linux.socket.NamespaceName;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The place of the one agent of a network namespace, held by whoever has to know that there is
/// none and that none begins.
public final class AgentPresence implements AutoCloseable {

  /// What the agent of a network namespace is known by there.
  static final String NAME = "io.margay.agent";

  private static final int ROOT = 0;

  private static final Logger LOG = LoggerFactory.getLogger(AgentPresence.class);

  /// Null while somebody who is no agent has the name.
  private final @Nullable NamespaceName name;

  private AgentPresence(@Nullable NamespaceName name) {
    this.name = name;
  }

  /// Takes the place in the calling thread's namespace.
  ///
  /// @return empty when an agent has it
  public static Optional<AgentPresence> take() throws LinuxException {
    return take(NAME);
  }

  /// Agents are root's. Another user who takes their name must not keep them from starting.
  static Optional<AgentPresence> take(String name) throws LinuxException {
    Optional<NamespaceName> taken = NamespaceName.take(name);
    if (taken.isPresent()) {
      return Optional.of(new AgentPresence(taken.get()));
    }
    OptionalInt owner = NamespaceName.ownerOf(name);
    if (owner.orElse(ROOT) == ROOT) {
      return Optional.empty();
    }
    LOG.atWarn()
        .addKeyValue("socket", "@" + name)
        .addKeyValue("user", owner.getAsInt())
        .log("a process that is no agent holds the agent's name; another agent would not be seen");
    return Optional.of(new AgentPresence(null));
  }

  @Override
  public void close() {
    if (name != null) {
      name.close();
    }
  }
}
