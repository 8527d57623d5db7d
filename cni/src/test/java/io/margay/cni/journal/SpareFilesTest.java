package io.margay.cni.journal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SpareFilesTest {

  @TempDir private Path above;
  private Path directory = Path.of("");
  private SpareFiles files = new SpareFiles(directory);

  @BeforeEach
  void begin() throws IOException {
    directory = Files.createDirectory(above.resolve("journal"));
    files = new SpareFiles(directory);
  }

  private Path write(String name, String content) throws IOException {
    Path file = directory.resolve(name);
    files.write(file, content.getBytes(UTF_8));
    assertThat(file).hasContent(content);
    return file;
  }

  private static Object inode(Path file) throws IOException {
    return Objects.requireNonNull(
        Files.readAttributes(file, BasicFileAttributes.class).fileKey(), "an inode");
  }

  private long spares() throws IOException {
    try (Stream<Path> all = Files.list(directory)) {
      return all.filter(file -> file.getFileName().toString().startsWith(".")).count();
    }
  }

  @Test
  void what_is_taken_away_is_written_over_whatever_its_length() throws IOException {
    Path first = write("a", "long, long ago");
    Object inode = inode(first);
    files.remove(first);
    assertThat(first).doesNotExist();
    assertThat(directory.resolve(".spare-0")).as("nothing is left of it").isEmptyFile();
    Path second = write("b", "short");
    assertThat(inode(second)).isEqualTo(inode);
    files.remove(second);
    assertThat(inode(write("c", "longer than both were"))).isEqualTo(inode);
    assertThat(spares()).isZero();
  }

  @Test
  void a_file_in_place_is_replaced() throws IOException {
    files.remove(write("a", "spare"));
    write("b", "before");
    write("b", "after");
    assertThat(spares()).isZero();
  }

  @Test
  void taking_away_what_is_not_there_is_fine() throws IOException {
    files.remove(directory.resolve("a"));
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void only_so_many_are_kept() throws IOException {
    for (int i = 0; i < SpareFiles.KEPT + 5; i++) {
      Files.writeString(directory.resolve("f" + i), "x");
    }
    for (int i = 0; i < SpareFiles.KEPT + 5; i++) {
      files.remove(directory.resolve("f" + i));
    }
    assertThat(spares()).isEqualTo(SpareFiles.KEPT);
  }

  @Test
  void some_are_made_ahead_and_again_when_they_were_used() throws IOException {
    files.prepare();
    assertThat(spares()).isEqualTo(SpareFiles.READY);
    write("a", "b");
    assertThat(spares()).isEqualTo(SpareFiles.READY - 1);
    files.prepare();
    files.prepare();
    assertThat(spares()).isEqualTo(SpareFiles.READY);
  }

  @Test
  void spare_files_that_somebody_deleted_are_missed_by_nobody() throws IOException {
    files.prepare();
    try (Stream<Path> all = Files.list(directory)) {
      for (Path file : all.toList()) {
        Files.delete(file);
      }
    }
    write("a", "b");
    Files.delete(directory.resolve("a"));
    Files.delete(directory);
    assertThatThrownBy(() -> write("a", "b")).isInstanceOf(NoSuchFileException.class);
  }
}
