package io.margay.cli.install;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// The systemd unit of the agent, as it is shipped and as it is installed. Whoever wants it
/// otherwise writes a drop-in (`systemctl edit margay`), which outlives the next installation.
///
/// @param text the whole file
record ServiceUnit(String text) {

  static final String NAME = "margay.service";

  /// What ProtectHome and PrivateTmp keep from the service.
  static final List<Path> HIDDEN =
      List.of(
          Path.of("/home"),
          Path.of("/root"),
          Path.of("/run/user"),
          Path.of("/tmp"),
          Path.of("/var/tmp"));

  /// Every one of ours begins so.
  private static final String HEAD = "# The node agent under systemd";

  private static final String PROGRAM = "ExecStart=";
  private static final String SHIPPED_PROGRAM = PROGRAM + "/opt/margay/bin/margay ";

  /// @throws IOException also when it is not ours
  static ServiceUnit read(Path file) throws IOException {
    String text = Files.readString(file);
    if (!text.startsWith(HEAD)) {
      throw new IOException(file + " is not margay's unit");
    }
    return new ServiceUnit(text);
  }

  static boolean isOurs(Path file) throws IOException {
    return Files.readString(file).startsWith(HEAD);
  }

  /// The same for another place of the distribution.
  ServiceUnit running(Path program) {
    return new ServiceUnit(text.replace(SHIPPED_PROGRAM, PROGRAM + program + " "));
  }

  byte[] content() {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
