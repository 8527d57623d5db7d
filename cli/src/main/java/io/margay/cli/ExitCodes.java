package io.margay.cli;

/// Exit codes of every `margay` command.
public final class ExitCodes {

  public static final int OK = 0;

  /// The thing asked for failed: not valid, refused, not found, not as expected.
  public static final int FAILED = 1;

  /// The command line or a file it names can't be used; nothing was done.
  public static final int USAGE = 2;

  /// The datastore or the agent did not answer.
  public static final int UNREACHABLE = 3;

  /// What is stored stands against it: another version than the one named, an object of that name,
  /// another pool's addresses. Nothing is wrong with the request itself.
  public static final int CONFLICT = 4;

  private ExitCodes() {}
}
