package io.margay.datastore.etcd;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// An authority and what it signs, made by openssl when a test runs.
final class Certificates {

  private static final String OPENSSL = "/usr/bin/openssl";

  private final Path directory;
  private final String name;

  Certificates(Path directory, String name) throws IOException {
    this.directory = Files.createDirectories(directory);
    this.name = name;
    openssl(
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=" + name,
        "-keyout",
        file(name + ".key"),
        "-out",
        ca().toString());
  }

  Path ca() {
    return directory.resolve(name + ".crt");
  }

  Path certificate(String who) {
    return directory.resolve(who + ".crt");
  }

  Path key(String who) {
    return directory.resolve(who + ".key");
  }

  private String file(String name) {
    return directory.resolve(name).toString();
  }

  /// A certificate for 127.0.0.1 and for a client of this name; its key is EC in PKCS#8.
  Certificates sign(String who) throws IOException {
    openssl(
        "genpkey",
        "-algorithm",
        "EC",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-out",
        key(who).toString());
    return signKey(who, "127.0.0.1");
  }

  /// Another certificate for the key that is there.
  Certificates signKey(String who, String address) throws IOException {
    Path extensions = directory.resolve(who + ".ext");
    Files.writeString(
        extensions, "subjectAltName=IP:" + address + "\nextendedKeyUsage=serverAuth,clientAuth\n");
    openssl(
        "req",
        "-new",
        "-key",
        key(who).toString(),
        "-subj",
        "/CN=" + who,
        "-out",
        file(who + ".csr"));
    openssl(
        "x509",
        "-req",
        "-in",
        file(who + ".csr"),
        "-CA",
        ca().toString(),
        "-CAkey",
        file(name + ".key"),
        "-CAcreateserial",
        "-days",
        "2",
        "-extfile",
        extensions.toString(),
        "-out",
        certificate(who).toString());
    return this;
  }

  /// A certificate whose time was over years ago.
  Certificates signExpired(String who) throws IOException {
    sign(who);
    Path database = directory.resolve("index-" + who);
    Files.writeString(database, "");
    Path config = directory.resolve("ca-" + who + ".cnf");
    Files.writeString(
        config,
        """
        [ca]
        default_ca=d
        [d]
        database=%s
        new_certs_dir=%s
        default_md=sha256
        policy=p
        rand_serial=yes
        unique_subject=no
        [p]
        commonName=supplied
        """
            .formatted(database, directory));
    openssl(
        "ca",
        "-batch",
        "-notext",
        "-config",
        config.toString(),
        "-cert",
        ca().toString(),
        "-keyfile",
        file(name + ".key"),
        "-in",
        file(who + ".csr"),
        "-out",
        certificate(who).toString(),
        "-startdate",
        "20200101000000Z",
        "-enddate",
        "20200201000000Z",
        "-extfile",
        file(who + ".ext"));
    return this;
  }

  static void openssl(String... words) throws IOException {
    List<String> command = new ArrayList<>(List.of(OPENSSL));
    command.addAll(List.of(words));
    Process tool = new ProcessBuilder(command).redirectErrorStream(true).start();
    try (InputStream output = tool.getInputStream()) {
      String said = new String(output.readAllBytes(), UTF_8);
      if (tool.waitFor() != 0) {
        throw new IOException(String.join(" ", command) + ": " + said);
      }
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", stop);
    }
  }
}
