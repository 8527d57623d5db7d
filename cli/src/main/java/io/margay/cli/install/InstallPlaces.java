package io.margay.cli.install;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/// Where runtimes look.
final class InstallPlaces {

  /// Sorts before the files that distributions bring (`87-podman-bridge.conflist` and its like).
  static final String CONFLIST = "05-margay.conflist";

  /// In the distribution and in its place.
  static final String PROTOCOLS = "margay.conf";

  @Option(
      names = "--bin-dir",
      paramLabel = "DIR",
      defaultValue = "/opt/cni/bin",
      description = "the runtime's directory of plugins (default: ${DEFAULT-VALUE})")
  private Path binDir = Path.of("");

  @Option(
      names = "--conf-dir",
      paramLabel = "DIR",
      defaultValue = "/etc/cni/net.d",
      description = "the runtime's directory of network configurations (default: ${DEFAULT-VALUE})")
  private Path confDir = Path.of("");

  @Option(
      names = "--root",
      paramLabel = "DIR",
      defaultValue = "/",
      description = "the root of the file system to change, such as an image's (default: /)")
  private Path root = Path.of("");

  @Option(
      names = "--service",
      description = "also the agent's systemd unit, margay.service; see docs/systemd.md")
  private boolean service;

  @Option(
      names = "--unit-dir",
      paramLabel = "DIR",
      defaultValue = "/etc/systemd/system",
      description = "systemd's directory of units (default: ${DEFAULT-VALUE})")
  private Path unitDir = Path.of("");

  @Option(
      names = "--protos-dir",
      paramLabel = "DIR",
      defaultValue = "/etc/iproute2/rt_protos.d",
      description =
          "where ip finds the names of routes' origins: margay.conf (default: ${DEFAULT-VALUE})")
  private Path protosDir = Path.of("");

  @Option(names = "--dry-run", description = "say what would be done, and do nothing")
  private boolean dryRun;

  @Option(names = "--force", description = "also where something of somebody else is in the way")
  private boolean force;

  PlacedFile binary(String name) {
    return new PlacedFile(below(binDir).resolve(name), "rwxr-xr-x");
  }

  PlacedFile conflist(String mode) {
    return new PlacedFile(confDirectory().resolve(CONFLIST), mode);
  }

  PlacedFile unit() {
    return new PlacedFile(unitDirectory().resolve(ServiceUnit.NAME), "rw-r--r--");
  }

  Path unitDirectory() {
    return below(unitDir);
  }

  /// The names of our routes' origins, for `ip route`.
  PlacedFile protocols() {
    return new PlacedFile(protocolsDirectory().resolve(PROTOCOLS), "rw-r--r--");
  }

  Path protocolsDirectory() {
    return below(protosDir);
  }

  /// Whether the agent's unit goes with the plugin.
  boolean isWithService() {
    return service;
  }

  /// Whether it is this machine that is changed, not an image.
  boolean isOfThisMachine() {
    return root.equals(Path.of("/"));
  }

  Path confDirectory() {
    return below(confDir);
  }

  Path binDirectory() {
    return below(binDir);
  }

  private Path below(Path path) {
    Path absolute = path.isAbsolute() ? Path.of("/").relativize(path) : path;
    return root.equals(Path.of("/")) ? path.toAbsolutePath().normalize() : root.resolve(absolute);
  }

  boolean isDryRun() {
    return dryRun;
  }

  boolean isForced() {
    return force;
  }
}
