package io.margay.cli.node;

import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.zip.GZIPOutputStream;

/// Writes plain files into a compressed archive in POSIX ustar form. No JDK has a tar, and one
/// method does not need a library.
final class TarGz implements Closeable {

  private static final int BLOCK = 512;
  private static final int MAX_NAME_OCTETS = 100;
  private static final int CHECKSUM_AT = 148;

  private final OutputStream out;

  TarGz(OutputStream file) throws IOException {
    out = new GZIPOutputStream(file);
  }

  /// @param name path within the archive, at most 100 octets
  void add(String name, byte[] content, Instant changed) throws IOException {
    out.write(header(name, content.length, changed.getEpochSecond()));
    out.write(content);
    out.write(new byte[(BLOCK - content.length % BLOCK) % BLOCK]);
  }

  private static byte[] header(String name, int size, long changed) {
    byte[] octets = name.getBytes(StandardCharsets.UTF_8);
    if (octets.length > MAX_NAME_OCTETS) {
      throw new IllegalArgumentException(name + " is longer than " + MAX_NAME_OCTETS + " octets");
    }
    byte[] header = new byte[BLOCK];
    System.arraycopy(octets, 0, header, 0, octets.length);
    put(header, 100, "0000600\0");
    put(header, 108, "0000000\0");
    put(header, 116, "0000000\0");
    put(header, 124, "%011o\0".formatted(size));
    put(header, 136, "%011o\0".formatted(changed));
    // The checksum is of a header whose checksum is blank.
    put(header, CHECKSUM_AT, "        ");
    put(header, 156, "0");
    put(header, 257, "ustar\00000");
    int sum = 0;
    for (byte octet : header) {
      sum += octet & 0xff;
    }
    put(header, CHECKSUM_AT, "%06o\0 ".formatted(sum));
    return header;
  }

  private static void put(byte[] header, int at, String text) {
    byte[] octets = text.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(octets, 0, header, at, octets.length);
  }

  @Override
  public void close() throws IOException {
    out.write(new byte[2 * BLOCK]);
    out.close();
  }
}
