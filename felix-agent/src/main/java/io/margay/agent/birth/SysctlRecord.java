package io.margay.agent.birth;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.linux.netns.Sysctl;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/// What settings of the host were before the agent changed them: `sysctls.json` in the state
/// directory. Of one boot only: with the next, the host has set its own again.
///
/// @param changes in the order they were made
record SysctlRecord(String bootId, List<Changed> changes) {

  private static final String FILE = "sysctls.json";
  private static final JsonMapper JSON = new JsonMapper();

  SysctlRecord {
    changes = List.copyOf(changes);
  }

  /// One setting.
  ///
  /// @param before what it was the first time; empty when there was none
  /// @param set what we made it
  record Changed(Sysctl setting, String before, String set) {}

  /// The record of this boot; empty without one.
  ///
  /// @throws JsonProcessingException if the file is damaged
  static SysctlRecord read(Path stateDir, String bootId) throws IOException {
    JsonNode document;
    try {
      document = JSON.readTree(Files.readAllBytes(stateDir.resolve(FILE)));
    } catch (NoSuchFileException none) {
      return new SysctlRecord(bootId, List.of());
    }
    List<Changed> changes = new ArrayList<>();
    if (document.path("bootId").asText().equals(bootId)) {
      for (JsonNode entry : document.path("changes")) {
        changes.add(
            new Changed(
                Sysctl.of(entry.path("setting").asText()),
                entry.path("before").asText(),
                entry.path("set").asText()));
      }
    }
    return new SysctlRecord(bootId, changes);
  }

  /// With one more; a setting that is recorded keeps what it was the first time.
  SysctlRecord with(Sysctl setting, String before, String set) {
    List<Changed> all = new ArrayList<>(changes);
    for (int i = 0; i < all.size(); i++) {
      if (all.get(i).setting().equals(setting)) {
        all.set(i, new Changed(setting, all.get(i).before(), set));
        return new SysctlRecord(bootId, all);
      }
    }
    all.add(new Changed(setting, before, set));
    return new SysctlRecord(bootId, all);
  }

  void write(Path stateDir) throws IOException {
    ObjectNode document = JSON.createObjectNode().put("bootId", bootId);
    ArrayNode entries = document.putArray("changes");
    for (Changed changed : changes) {
      entries
          .addObject()
          .put("setting", String.join("/", changed.setting().segments()))
          .put("before", changed.before())
          .put("set", changed.set());
    }
    Path temporary = stateDir.resolve("." + FILE + ".tmp");
    Files.write(temporary, JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(document));
    try (FileChannel written = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
      written.force(true);
    }
    Files.move(temporary, stateDir.resolve(FILE), StandardCopyOption.ATOMIC_MOVE);
  }

  static void delete(Path stateDir) throws IOException {
    Files.deleteIfExists(stateDir.resolve(FILE));
  }
}
