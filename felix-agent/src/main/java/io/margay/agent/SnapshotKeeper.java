package io.margay.agent;

import io.margay.datastore.SnapshotWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps the last known good state on the disk, and goes on trying when the disk refuses. Owned by
/// one thread.
final class SnapshotKeeper {

  /// Runs between two attempts on a disk that refuses, for whatever reason: each reads everything
  /// from the datastore.
  static final int RUNS_A_RECORDING = 30;

  /// What has to be free beside the size of the file, before a disk that was full counts as having
  /// room again.
  static final long SPARE_OCTETS = 1 << 20;

  private static final Logger LOG = LoggerFactory.getLogger(SnapshotKeeper.class);

  private final Path file;
  private final SnapshotWriter writer;
  private final Runnable recordAgain;
  private final LongSupplier free;
  private int runsUntilRecording;
  private boolean failing;
  private boolean lacksRoom;

  /// @param recordAgain has the writer told everything anew
  /// @param free octets that the file's disk has left
  SnapshotKeeper(Path file, SnapshotWriter writer, Runnable recordAgain, LongSupplier free) {
    this.file = file;
    this.writer = writer;
    this.recordAgain = recordAgain;
    this.free = free;
  }

  static SnapshotKeeper of(Path file, SnapshotWriter writer, Runnable recordAgain) {
    return new SnapshotKeeper(file, writer, recordAgain, () -> freeAt(file));
  }

  private static long freeAt(Path file) {
    try {
      return Files.getFileStore(file.toAbsolutePath().getParent()).getUsableSpace();
    } catch (IOException unknown) {
      return 0;
    }
  }

  /// Has a process that comes after this one find what was told until now. A refusal is told by the
  /// next [#save].
  void flush() {
    try {
      writer.flush();
    } catch (IOException refused) {
      LOG.atDebug().addKeyValue("reason", refused.getMessage()).log("nothing was flushed");
    }
  }

  /// To be called now and then.
  void save() {
    try {
      writer.save();
    } catch (IOException refused) {
      failed(refused);
      return;
    }
    if (failing && writer.isSaved()) {
      failing = false;
      LOG.atInfo().addKeyValue("file", file).log("the last known good state is saved again");
    }
  }

  private void failed(IOException refused) {
    if (!failing) {
      failing = true;
      runsUntilRecording = 0;
      LOG.atWarn()
          .addKeyValue("file", file)
          .addKeyValue("reason", String.valueOf(refused.getMessage()))
          .log(
              "the last known good state can't be saved; the one before stays, and it is tried"
                  + " again: give the disk room");
    }
    boolean lackedRoom = lacksRoom;
    lacksRoom = !hasRoom();
    boolean hasRoomAgain = lackedRoom && !lacksRoom;
    if (hasRoomAgain || runsUntilRecording-- <= 0) {
      runsUntilRecording = RUNS_A_RECORDING;
      recordAgain.run();
    }
  }

  private boolean hasRoom() {
    try {
      return free.getAsLong() >= (Files.exists(file) ? Files.size(file) : 0) + SPARE_OCTETS;
    } catch (IOException unknown) {
      return false;
    }
  }
}
