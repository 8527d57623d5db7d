package io.margay.it.bgp;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Our daemon, `margay bgpd`, as a process of its own in the node's namespace: driven by its file,
/// signals and HTTP, as an operator would.
final class Bgpd {

  private final Lab lab;
  private final Path room;
  private Process process;

  private Bgpd(Lab lab, BgpdConfig config) {
    this.lab = lab;
    room = lab.room("bgpd");
    write(config);
    process = launch();
  }

  /// Returns when it is ready.
  static Bgpd start(Lab lab, BgpdConfig config) {
    Bgpd bgpd = new Bgpd(lab, config);
    bgpd.awaitReady();
    return bgpd;
  }

  private void write(BgpdConfig config) {
    Lab.write(room.resolve("bgpd.yaml"), config.yaml("unix:" + socket()));
  }

  private Path socket() {
    return room.resolve("http");
  }

  private Process launch() {
    Lab.write(room.resolve("out"), "");
    return lab.start(
        lab.node(),
        "bgpd/out",
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "--enable-native-access=ALL-UNNAMED",
        "--sun-misc-unsafe-memory-access=allow",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:-UsePerfData",
        "-Xmx192m",
        "-Dio.netty.machineId=02:00:00:ff:fe:00:00:01",
        "-cp",
        classPath(),
        "io.margay.cli.Main",
        "bgpd",
        "--config",
        room.resolve("bgpd.yaml").toString());
  }

  /// The class path of this JVM, whoever loaded the tests.
  static String classPath() {
    List<String> entries = new ArrayList<>();
    for (ClassLoader loader = Bgpd.class.getClassLoader();
        loader != null;
        loader = loader.getParent()) {
      if (loader instanceof URLClassLoader urls) {
        for (URL url : urls.getURLs()) {
          entries.add(Path.of(url.getPath()).toString());
        }
      }
    }
    entries.add(System.getProperty("java.class.path"));
    return String.join(File.pathSeparator, entries);
  }

  private void awaitReady() {
    Waiting.until(
        "bgpd ready",
        this::log,
        () -> {
          if (!process.isAlive()) {
            throw new AssertionError("bgpd ended: " + log());
          }
          return log().lines().anyMatch(line -> line.equals("ready"));
        });
  }

  /// All it has printed since its last start.
  String log() {
    return Lab.read(room.resolve("out"));
  }

  /// SIGHUP with a new file.
  void reload(BgpdConfig config) {
    write(config);
    Lab.signal(process, "HUP");
  }

  /// SIGSTOP: it falls silent with its sockets open.
  void freeze() {
    Lab.freeze(process);
  }

  /// SIGKILL: nobody is told.
  void kill() {
    Lab.kill(process);
  }

  /// SIGTERM; returns when it has ended well.
  void terminate() {
    Lab.signal(process, "TERM");
    int exit = Lab.await(process);
    if (exit != 0) {
      throw new AssertionError("bgpd ended with " + exit + ": " + log());
    }
  }

  /// A new process on the same file.
  void restart() {
    process = launch();
    awaitReady();
  }

  /// A document of its HTTP side; nothing while it does not answer.
  JsonNode get(String path) {
    try {
      return Json.parse(UnixHttp.get(socket(), path));
    } catch (IOException notThere) {
      return MissingNode.getInstance();
    }
  }

  JsonNode peer(String neighbor) {
    for (JsonNode peer : list(get("/api/v1/bgp/peers"))) {
      if (peer.path("neighbor").asText().equals(neighbor)) {
        return peer;
      }
    }
    return MissingNode.getInstance();
  }

  private static JsonNode list(JsonNode answer) {
    return answer.isArray() ? answer : answer.path("items");
  }

  boolean established(String neighbor) {
    return peer(neighbor).path("state").asText().equals("Established");
  }

  long timesEstablished(String neighbor) {
    return peer(neighbor).path("connectionsEstablished").asLong();
  }

  String lastError(String neighbor) {
    return peer(neighbor).path("lastError").asText();
  }

  /// The paths it knows for a prefix, each as the API shows it.
  List<JsonNode> paths(String prefix) {
    List<JsonNode> paths = new ArrayList<>();
    for (JsonNode route : list(get("/api/v1/bgp/routes"))) {
      if (route.path("prefix").asText().equals(prefix)) {
        route.path("paths").forEach(paths::add);
      }
    }
    return paths;
  }

  void awaitEstablished(String neighbor) {
    Waiting.until(
        "bgpd: session with " + neighbor,
        () -> peer(neighbor) + log(),
        () -> established(neighbor));
  }

  void awaitRoute(String prefix) {
    Waiting.until(
        "bgpd: route to " + prefix,
        () -> get("/api/v1/bgp/routes") + log(),
        () -> !paths(prefix).isEmpty());
  }

  void awaitError(String neighbor, String words) {
    Waiting.until(
        "bgpd: last error \"" + words + "\" of " + neighbor,
        () -> peer(neighbor) + log(),
        () -> lastError(neighbor).contains(words));
  }
}
