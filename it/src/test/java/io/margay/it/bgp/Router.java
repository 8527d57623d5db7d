package io.margay.it.bgp;

import java.util.List;

/// The other side: a BGP daemon by somebody else, in a namespace of its own, asked only through its
/// own command line or API.
interface Router {

  /// Its name in the matrix.
  String name();

  /// The router's number in the lab.
  int number();

  /// Starts it and returns when its command line answers.
  void start();

  boolean established(String neighbour);

  /// Everything it says about a neighbour: capabilities, counters, last error. For messages, and
  /// for words no other method asks for.
  String neighbour(String neighbour);

  /// Paths it has for a prefix from its neighbours; not those it originates.
  List<SeenRoute> routes(String prefix);

  /// UPDATE messages (or route changes, where it counts those) it has received.
  long updatesReceived(String neighbour);

  /// Changes what can change of a session without a restart of the daemon.
  void reconfigure(Side wanted);

  /// Asks the neighbour to send everything again (RFC 2918).
  void refresh(String neighbour);

  /// Ends the session for an administrative reason; the text goes with it where the daemon can.
  void shutdown(String neighbour, String text);

  /// All it has said about ends of sessions: log or last error.
  String farewells(String neighbour);

  /// SIGSTOP: it falls silent, but its sockets stay open, as with a machine that hangs.
  void freeze();

  /// SIGKILL.
  void kill();

  default boolean has(String prefix) {
    return !routes(prefix).isEmpty();
  }

  default void awaitEstablished(String neighbour) {
    Waiting.until(
        name() + ": session with " + neighbour,
        () -> neighbour(neighbour),
        () -> established(neighbour));
  }

  default void awaitRoute(String prefix) {
    Waiting.until(name() + ": route to " + prefix, () -> "it has none", () -> has(prefix));
  }
}
