package io.margay.cli.lab;

import java.nio.file.Files;
import java.nio.file.Path;

/// Where the public commands are: the directory that holds `bin/margay` and `bin/margay-cni`, told
/// by the launcher in the system property `margay.home`.
public record Distribution(Path home) {

  /// @throws LabException when this JVM was not started by the launcher
  public static Distribution ofThisProcess() throws LabException {
    String home = System.getProperty("margay.home");
    if (home == null) {
      throw new LabException(
          "the system property margay.home is not set: start labs through bin/margay");
    }
    return new Distribution(Path.of(home).toAbsolutePath().normalize());
  }

  Path margay() {
    return home.resolve("bin/margay");
  }

  Path cni() {
    return home.resolve("bin/margay-cni");
  }

  /// A file of `deploy/lab`: `etc/lab` in a distribution.
  ///
  /// @param path for example `rack.yaml`
  public Path labFile(String path) throws LabException {
    Path installed = home.resolve("etc/lab").resolve(path);
    if (Files.exists(installed)) {
      return installed;
    }
    Path beside = home.resolveSibling("deploy/lab").resolve(path);
    if (Files.exists(beside)) {
      return beside;
    }
    throw new LabException("neither " + installed + " nor " + beside + " exists");
  }
}
