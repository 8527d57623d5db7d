package io.margay.agent.bgp;

import io.margay.agent.bgp.Passwords.Answer;
import io.margay.bgp.transport.Password;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;

/// Secrets as a container runtime mounts them, or as plain files: `DIRECTORY/NAME/KEY`. A mounted
/// Secret changes as a whole when its link `..data` is exchanged; each reading goes through it.
final class SecretFiles {

  /// What Kubernetes takes as a Secret's name or key, which can't lead out of the directory.
  private static final Pattern PART = Pattern.compile("[A-Za-z0-9_.-]{1,253}");

  /// More than any password and its end of line.
  private static final int MAX_OCTETS = 4096;

  private SecretFiles() {}

  /// Whether a name or key can be looked for at all.
  static boolean isPart(String text) {
    return PART.matcher(text).matches() && !text.equals(".") && !text.equals("..");
  }

  /// Reads a key.
  ///
  /// @return empty if it is not there
  static Optional<Answer> read(Path directory, String name, String key) {
    Path file = directory.resolve(name).resolve(key);
    try (InputStream in = Files.newInputStream(file)) {
      byte[] octets = in.readNBytes(MAX_OCTETS + 1);
      return Optional.of(
          octets.length > MAX_OCTETS
              ? new Answer.Missing(file + " is longer than " + MAX_OCTETS + " octets")
              : password(file.toString(), octets));
    } catch (NoSuchFileException absent) {
      return Optional.empty();
    } catch (IOException unreadable) {
      return Optional.of(
          new Answer.Missing(file + " can't be read: " + unreadable.getClass().getSimpleName()));
    }
  }

  private static Answer password(String place, byte[] octets) {
    try {
      return password(
          place, StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(octets)).toString());
    } catch (CharacterCodingException binary) {
      return new Answer.Missing(place + " is not UTF-8");
    }
  }

  /// What stands at a place as a password; an end of line behind it is the editor's.
  static Answer password(String place, String text) {
    String whole = text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
    String stripped = whole.endsWith("\r") ? whole.substring(0, whole.length() - 1) : whole;
    try {
      return new Answer.Found(new Password(stripped));
    } catch (IllegalArgumentException unusable) {
      return new Answer.Missing(place + ": " + unusable.getMessage());
    }
  }
}
