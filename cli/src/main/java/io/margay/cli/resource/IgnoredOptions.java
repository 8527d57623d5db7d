package io.margay.cli.resource;

import picocli.CommandLine.Option;

/// What scripts for calicoctl say and no command here needs; only picocli reads these fields.
final class IgnoredOptions {

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
