package io.margay.cli.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LabLockTest {

  @Test
  void a_lock_on_a_removed_file_guards_nothing_though_another_has_its_name(@TempDir Path folder)
      throws Exception {
    Path file = folder.resolve(".lab.lock");
    try (FileChannel removed = open(file)) {
      assertThat(LabState.isAt(removed, file)).isTrue();
      Files.delete(file);
      assertThat(LabState.isAt(removed, file)).isFalse();
      try (FileChannel next = open(file)) {
        assertThat(LabState.isAt(next, file)).isTrue();
        assertThat(LabState.isAt(removed, file)).isFalse();
      }
    }
  }

  private static FileChannel open(Path file) throws Exception {
    return FileChannel.open(
        file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  /// Each takes the lock, and its file away with it.
  @Test
  @Tag("netns") // Labs are root's.
  void of_many_takings_down_one_is_at_work() throws Exception {
    String name = "mgyl" + ProcessHandle.current().pid();
    AtomicInteger atWork = new AtomicInteger();
    Callable<Integer> takingDown =
        () -> {
          int most = 0;
          for (int i = 0; i < 8; i++) {
            FileChannel lock = LabState.lock(name);
            most = Math.max(most, atWork.incrementAndGet());
            atWork.decrementAndGet();
            LabState.forgetLock(name);
            lock.close();
          }
          return most;
        };
    List<Future<Integer>> runs = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      for (int i = 0; i < 4; i++) {
        runs.add(threads.submit(takingDown));
      }
    }
    for (Future<Integer> run : runs) {
      assertThat(run.get()).isEqualTo(1);
    }
  }
}
