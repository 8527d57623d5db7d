package io.margay.cli.node;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What is gathered of a node: files by name, and what could not be had and why, which is as much
/// worth knowing.
final class Diagnostics {

  /// The largest file put in, in octets; of a longer one the end.
  static final int MAX_OCTETS = 16 << 20;

  static final String MISSING = "missing.txt";

  /// Gathers one thing.
  @FunctionalInterface
  interface Source {
    String read() throws Exception;
  }

  private final Map<String, byte[]> entries = new LinkedHashMap<>();
  private final List<String> missing = new ArrayList<>();

  /// Adds a file, or a line that says why it is not there.
  void add(String name, Source source) {
    try {
      entries.put(name, end(Redaction.of(source.read())));
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
      missing.add(name + ": interrupted");
    } catch (Exception failure) {
      missing.add(name + ": " + reason(failure));
    }
  }

  /// The end of a file, of which no more is read than is put in. Octets that are no text become
  /// marks.
  static String endOf(Path file) throws IOException {
    try (SeekableByteChannel in = Files.newByteChannel(file)) {
      in.position(Math.max(0, in.size() - MAX_OCTETS));
      return new String(Channels.newInputStream(in).readNBytes(MAX_OCTETS), StandardCharsets.UTF_8);
    }
  }

  private static byte[] end(String text) {
    byte[] octets = text.getBytes(StandardCharsets.UTF_8);
    if (octets.length <= MAX_OCTETS) {
      return octets;
    }
    byte[] end = new byte[MAX_OCTETS];
    System.arraycopy(octets, octets.length - MAX_OCTETS, end, 0, MAX_OCTETS);
    return end;
  }

  private static String reason(Exception failure) {
    String message = failure.getMessage();
    return failure.getClass().getSimpleName() + (message == null ? "" : ": " + message);
  }

  List<String> missing() {
    return List.copyOf(missing);
  }

  int size() {
    return entries.size();
  }

  /// @param folder what all files are in
  void write(OutputStream to, String folder, Instant now) throws IOException {
    try (TarGz archive = new TarGz(to)) {
      for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
        archive.add(folder + "/" + entry.getKey(), entry.getValue(), now);
      }
      String lines = missing.isEmpty() ? "nothing\n" : String.join("\n", missing) + "\n";
      archive.add(folder + "/" + MISSING, lines.getBytes(StandardCharsets.UTF_8), now);
    }
  }
}
