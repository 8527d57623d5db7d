package io.margay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.testing.EtcdProcess;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `margay` as users run it, on a real etcd, and on etcds that do not answer.
@Tag("etcd")
class EtcdEndToEndTest {

  private static final String POOL =
      """
      apiVersion: projectcalico.org/v3
      kind: IPPool
      metadata: {name: pods}
      spec: {cidr: 10.64.0.0/16}
      """;

  @TempDir private Path folder;
  private final PrintStream standardOut = System.out;
  private final PrintStream standardErr = System.err;
  private String out = "";
  private String err = "";

  @BeforeEach
  @AfterEach
  void restore() {
    System.setOut(standardOut);
    System.setErr(standardErr);
  }

  private int margay(String endpoint, String... words) {
    ByteArrayOutputStream outOctets = new ByteArrayOutputStream();
    ByteArrayOutputStream errOctets = new ByteArrayOutputStream();
    System.setOut(new PrintStream(outOctets, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(errOctets, true, StandardCharsets.UTF_8));
    List<String> all = new ArrayList<>(Arrays.asList(words));
    all.addAll(List.of("--etcd-endpoints", endpoint));
    try {
      return Main.run(all.toArray(String[]::new));
    } finally {
      restore();
      out = outOctets.toString(StandardCharsets.UTF_8);
      err = errOctets.toString(StandardCharsets.UTF_8);
    }
  }

  @Test
  void a_life_of_a_pool() throws Exception {
    Path file = Files.writeString(folder.resolve("pool.yaml"), POOL);
    try (EtcdProcess etcd = new EtcdProcess(folder)) {
      String endpoint = etcd.endpoint();
      assertThat(margay(endpoint, "create", "-f", file.toString())).as(err).isZero();
      assertThat(out).startsWith("IPPool(pods) created\n");
      assertThat(margay(endpoint, "create", "-f", file.toString())).isEqualTo(ExitCodes.CONFLICT);

      assertThat(margay(endpoint, "get", "ippool", "pods", "-o", "yaml")).isZero();
      String old = out;
      assertThat(
              margay(endpoint, "patch", "ippool", "pods", "-p", "{\"spec\":{\"disabled\":true}}"))
          .isZero();
      assertThat(margay(endpoint, "label", "ippools", "pods", "rack=r1")).isZero();
      assertThat(margay(endpoint, "get", "pools", "-o", "custom-columns=NAME,DISABLED")).isZero();
      assertThat(out).isEqualTo("NAME   DISABLED   \npods   true       \n\n");

      // Fetched before the patch: stale now.
      Path stale = Files.writeString(folder.resolve("old.yaml"), old);
      assertThat(margay(endpoint, "replace", "-f", stale.toString())).isEqualTo(ExitCodes.CONFLICT);
      assertThat(err).contains("IPPool(pods): is at resourceVersion ");

      assertThat(margay(endpoint, "delete", "ippool", "pods")).isZero();
      assertThat(margay(endpoint, "get", "ippool", "pods")).isEqualTo(ExitCodes.FAILED);
      assertThat(err).isEqualTo("IPPool(pods): does not exist\n");
    }
  }

  @Test
  void nobody_at_the_port() throws Exception {
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    assertThat(margay("http://127.0.0.1:" + port, "get", "nodes")).isEqualTo(ExitCodes.UNREACHABLE);
    assertThat(err)
        .contains("is etcd running, reachable from here, and without TLS?")
        .hasLineCount(1);
  }

  @Test
  void somebody_who_accepts_and_never_answers() throws Exception {
    List<Socket> held = new ArrayList<>();
    try (ServerSocket hole = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      Thread.ofVirtual().start(() -> hold(hole, held));
      String endpoint = "http://127.0.0.1:" + hole.getLocalPort();

      assertThat(margay(endpoint, "get", "nodes")).isEqualTo(ExitCodes.UNREACHABLE);
      assertThat(err).contains(endpoint).hasLineCount(1);
      Path file = Files.writeString(folder.resolve("pool.yaml"), POOL);
      assertThat(margay(endpoint, "apply", "-f", file.toString())).isEqualTo(ExitCodes.UNREACHABLE);
      assertThat(err).contains("IPPool(pods): may or may not have been written");
    } finally {
      for (Socket socket : held) {
        socket.close();
      }
    }
  }

  private static void hold(ServerSocket hole, List<Socket> held) {
    try {
      while (true) {
        held.add(hole.accept());
      }
    } catch (IOException closed) {
      // The test is over.
    }
  }

  @Test
  void an_etcd_that_froze() throws Exception {
    try (EtcdProcess etcd = new EtcdProcess(folder)) {
      assertThat(margay(etcd.endpoint(), "get", "nodes")).isZero();
      long pid =
          ProcessHandle.current()
              .children()
              .filter(child -> child.info().command().orElse("").endsWith("etcd"))
              .mapToLong(ProcessHandle::pid)
              .max()
              .orElseThrow();
      signal("-STOP", pid);
      try {
        assertThat(margay(etcd.endpoint(), "get", "nodes")).isEqualTo(ExitCodes.UNREACHABLE);
        assertThat(err).contains("no answer").hasLineCount(1);
      } finally {
        signal("-CONT", pid);
      }
    }
  }

  private static void signal(String signal, long pid) throws Exception {
    assertThat(new ProcessBuilder("kill", signal, Long.toString(pid)).start().waitFor()).isZero();
  }
}
