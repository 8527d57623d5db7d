package io.margay.cli;

/// Exit codes of every `margay` command.
public final class ExitCodes {

  public static final int OK = 0;

  /// The thing asked for failed: refused, conflicting, not found, not as expected.
  public static final int FAILED = 1;

  /// The command line or a file it names can't be used; nothing was done.
  public static final int USAGE = 2;

  /// The datastore or the agent did not answer.
  public static final int UNREACHABLE = 3;

  private ExitCodes() {}
}
