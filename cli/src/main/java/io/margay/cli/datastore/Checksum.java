package io.margay.cli.datastore;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The digest in an export's last lines.
enum Checksum {
  /// The file is as it was written.
  GOOD,
  /// It has changed since.
  WRONG,
  /// It has none: calicoctl wrote it, or its end is missing.
  ABSENT;

  private static final Pattern TRAILER =
      Pattern.compile("\"sha256\": \"([0-9a-f]{64})\"\\s*\\}\\s*$");

  /// More than the trailer is long.
  private static final int TAIL_OCTETS = 256;

  private static final int BUFFER_OCTETS = 1 << 20;

  static MessageDigest digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException never) {
      throw new IllegalStateException("every Java has SHA-256", never);
    }
  }

  /// Compares a file with what it says of itself.
  static Checksum of(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long tailAt = Math.max(0, channel.size() - TAIL_OCTETS);
      ByteBuffer tail = ByteBuffer.allocate((int) (channel.size() - tailAt));
      while (tail.hasRemaining() && channel.read(tail, tailAt + tail.position()) >= 0) {
        // until it is full
      }
      // One character an octet, so that positions are the file's.
      Matcher trailer =
          TRAILER.matcher(
              new String(tail.array(), 0, tail.position(), StandardCharsets.ISO_8859_1));
      if (!trailer.find()) {
        return ABSENT;
      }
      String found = HexFormat.of().formatHex(digest(channel, tailAt + trailer.start()));
      return found.equals(trailer.group(1)) ? GOOD : WRONG;
    }
  }

  private static byte[] digest(FileChannel channel, long octets) throws IOException {
    MessageDigest digest = digest();
    ByteBuffer buffer = ByteBuffer.allocate(BUFFER_OCTETS);
    long at = 0;
    while (at < octets) {
      buffer.clear().limit((int) Math.min(BUFFER_OCTETS, octets - at));
      int read = channel.read(buffer, at);
      if (read < 0) {
        break;
      }
      digest.update(buffer.flip());
      at += read;
    }
    return digest.digest();
  }
}
