package io.margay.it.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.it.Rack;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/// An OCI image with nothing but busybox in it, made here: no registry is asked. What it runs
/// unless told otherwise says its host's name to whoever connects to port 80.
final class Image {

  /// The part before the slash keeps the CRI from taking it for a name at a public registry.
  static final String NAME = "localhost/busybox:latest";

  private static final Path BUSYBOX = Path.of("/bin/busybox");

  private Image() {}

  /// An archive that both `ctr images import` and `podman load` take.
  static Path archive(Path directory) throws IOException, InterruptedException {
    Path root = Files.createDirectories(directory.resolve("image/root"));
    Path blobs = Files.createDirectories(directory.resolve("image/oci/blobs/sha256"));
    for (String name : List.of("bin", "proc", "sys", "dev", "tmp", "etc")) {
      Files.createDirectory(root.resolve(name));
    }
    Files.copy(BUSYBOX, root.resolve("bin/busybox"), StandardCopyOption.COPY_ATTRIBUTES);
    String applets = run(BUSYBOX.toString(), "--list");
    for (String applet : applets.lines().filter(name -> !name.equals("busybox")).toList()) {
      Files.createSymbolicLink(root.resolve("bin").resolve(applet), Path.of("busybox"));
    }
    Path layer = directory.resolve("image/layer.tar");
    run("tar", "--owner=0", "--group=0", "-C", root.toString(), "-cf", layer.toString(), ".");
    String layerDigest = digest(Files.readAllBytes(layer));
    long layerSize = Files.size(layer);
    Files.move(layer, blobs.resolve(layerDigest));
    String config =
        blob(
            blobs,
            Map.of(
                "architecture",
                architecture(),
                "os",
                "linux",
                "config",
                Map.of(
                    "Env",
                    List.of("PATH=/bin"),
                    "Cmd",
                    List.of("/bin/nc", "-ll", "-p", "80", "-e", "/bin/hostname")),
                "rootfs",
                Map.of("type", "layers", "diff_ids", List.of("sha256:" + layerDigest))));
    String manifest =
        blob(
            blobs,
            Map.of(
                "schemaVersion",
                2,
                "mediaType",
                "application/vnd.oci.image.manifest.v1+json",
                "config",
                descriptor(
                    "application/vnd.oci.image.config.v1+json",
                    config,
                    Files.size(blobs.resolve(config))),
                "layers",
                List.of(
                    descriptor("application/vnd.oci.image.layer.v1.tar", layerDigest, layerSize))));
    Map<String, Object> named =
        Map.of(
            "mediaType",
            "application/vnd.oci.image.manifest.v1+json",
            "digest",
            "sha256:" + manifest,
            "size",
            Files.size(blobs.resolve(manifest)),
            "annotations",
            Map.of("org.opencontainers.image.ref.name", NAME, "io.containerd.image.name", NAME));
    Path layout = directory.resolve("image/oci");
    write(layout.resolve("index.json"), Map.of("schemaVersion", 2, "manifests", List.of(named)));
    write(layout.resolve("oci-layout"), Map.of("imageLayoutVersion", "1.0.0"));
    Path archive = directory.resolve("busybox.tar");
    run("tar", "-C", layout.toString(), "-cf", archive.toString(), ".");
    return archive;
  }

  /// The file system of the image alone, of whose layout Docker 20.10 knows nothing.
  static Path root(Path directory) throws IOException, InterruptedException {
    archive(directory);
    Path root = directory.resolve("root.tar");
    run(
        "tar",
        "--owner=0",
        "--group=0",
        "-C",
        directory.resolve("image/root").toString(),
        "-cf",
        root.toString(),
        ".");
    return root;
  }

  private static Map<String, Object> descriptor(String type, String digest, long size) {
    return Map.of("mediaType", type, "digest", "sha256:" + digest, "size", size);
  }

  private static String architecture() {
    String name = System.getProperty("os.arch");
    return name.equals("aarch64") ? "arm64" : name;
  }

  private static String blob(Path blobs, Map<String, Object> document) throws IOException {
    byte[] octets = RuntimeLab.JSON.writeValueAsBytes(document);
    String digest = digest(octets);
    Files.write(blobs.resolve(digest), octets);
    return digest;
  }

  private static void write(Path file, Map<String, Object> document) throws IOException {
    Files.write(file, RuntimeLab.JSON.writeValueAsBytes(document));
  }

  private static String digest(byte[] octets) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(octets));
    } catch (NoSuchAlgorithmException everyJvmHasIt) {
      throw new IllegalStateException(everyJvmHasIt);
    }
  }

  private static String run(String... command) throws IOException, InterruptedException {
    Rack.Run run = Rack.run(Map.of(), "", List.of(command));
    assertThat(run.exitCode()).as("%s: %s", List.of(command), run.err()).isZero();
    return run.out();
  }
}
