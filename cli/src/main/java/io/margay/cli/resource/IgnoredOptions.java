package io.margay.cli.resource;

import picocli.CommandLine.Option;

/// What scripts for calicoctl say, to any command or before it, and no command here needs; only
/// picocli reads these fields.
public final class IgnoredOptions {

  @Option(
      names = {"-l", "--log-level"},
      paramLabel = "LEVEL",
      description = "accepted for calicoctl's sake: commands write no log")
  String logLevel = "";

  @Option(
      names = "--allow-version-mismatch",
      description = "accepted for calicoctl's sake: versions never hinder a command")
  boolean allowVersionMismatch;

  @Option(
      names = "--context",
      paramLabel = "CONTEXT",
      description = "accepted for calicoctl's sake: no kubeconfig is read")
  String context = "";
}
