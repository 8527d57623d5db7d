package io.margay.cli.install;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.margay.cli.ExitCodes;
import io.margay.cli.install.Inotify.Event;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/// Installing into directories of a test's own.
final class InstallCommandTest {

  private static final Path SHIPPED =
      Path.of(System.getProperty("margay.root", ".."), "deploy/etc/05-margay.conflist");
  private static final String LIST = "05-margay.conflist";
  private static final JsonMapper JSON = new JsonMapper();

  @TempDir Path directory;
  private Path home;
  private Path bin;
  private Path conf;
  private Path protos;
  private String out = "";
  private String err = "";

  @BeforeEach
  void distribution() throws IOException {
    home = Files.createDirectories(directory.resolve("home"));
    Files.createDirectories(home.resolve("bin"));
    Files.createDirectories(home.resolve("etc"));
    Files.writeString(home.resolve("bin/margay-cni"), "the plugin");
    Files.copy(SHIPPED, home.resolve("etc").resolve(LIST));
    Files.copy(
        SHIPPED.resolveSibling("../systemd/margay.service").normalize(),
        Files.createDirectories(home.resolve("etc/systemd")).resolve("margay.service"));
    Files.copy(
        SHIPPED.resolveSibling("rt_protos.d/margay.conf"),
        Files.createDirectories(home.resolve("etc/rt_protos.d")).resolve("margay.conf"));
    bin = directory.resolve("bin");
    conf = directory.resolve("net.d");
    protos = directory.resolve("iproute2/rt_protos.d");
  }

  private int install(String... options) {
    return run(new InstallCommand(Optional.of(home)), options);
  }

  private int uninstall(String... options) {
    return run(new UninstallCommand(), options);
  }

  private int run(Object command, String... options) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "--bin-dir",
                bin.toString(),
                "--conf-dir",
                conf.toString(),
                "--protos-dir",
                protos.toString()));
    arguments.addAll(List.of(options));
    StringWriter outText = new StringWriter();
    StringWriter errText = new StringWriter();
    int code =
        new CommandLine(command)
            .setOut(new PrintWriter(outText))
            .setErr(new PrintWriter(errText))
            .execute(arguments.toArray(String[]::new));
    out = outText.toString();
    err = errText.toString();
    return code;
  }

  private static String mode(Path file) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
  }

  private static List<String> names(Path of) throws IOException {
    try (Stream<Path> files = Files.list(of)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void the_agents_unit_goes_with_the_plugin_when_asked_for() throws IOException {
    Path units = directory.resolve("units");
    Path unit = units.resolve("margay.service");
    assertThat(install()).isZero();
    assertThat(units).doesNotExist();
    String[] options = {"--service", "--unit-dir", units.toString()};
    assertThat(install(options)).as(err).isZero();
    assertThat(Files.readString(unit))
        .contains("ExecStart=" + home + "/bin/margay agent --config /etc/margay/agent.yaml\n")
        .contains("Type=notify\n");
    assertThat(mode(unit)).isEqualTo("rw-r--r--");
    assertThat(err.contains("the unit can't see " + home)).isEqualTo(home.startsWith("/tmp"));
    assertThat(install(options)).isZero();
    assertThat(out).contains(unit + " unchanged");

    Files.writeString(unit, "[Service]\nExecStart=/bin/other\n");
    assertThat(install(options)).isEqualTo(ExitCodes.CONFLICT);
    assertThat(err).contains(unit + " is not ours; nothing was done");
    assertThat(uninstall(options)).isEqualTo(ExitCodes.CONFLICT);
    assertThat(unit).exists();
    assertThat(uninstall("--service", "--unit-dir", units.toString(), "--force")).isZero();
    assertThat(unit).doesNotExist();
  }

  @Test
  void ip_is_told_what_our_routes_are_called_until_uninstalled() throws IOException {
    assertThat(install()).isZero();
    Path names = protos.resolve("margay.conf");
    assertThat(names).content().contains("117 margay\n", "119 margay-bgpd\n");
    assertThat(mode(names)).isEqualTo("rw-r--r--");
    assertThat(uninstall()).isZero();
    assertThat(names).doesNotExist();
    assertThat(protos).exists();
  }

  @Test
  void an_images_unit_runs_the_images_distribution() throws IOException {
    Path image = Files.createDirectories(directory.resolve("image"));
    assertThat(install("--service", "--root", image.toString())).as(err).isZero();
    assertThat(Files.readString(image.resolve("etc/systemd/system/margay.service")))
        .contains("ExecStart=/opt/margay/bin/margay agent");
  }

  @Test
  void the_binaries_come_first_and_the_configuration_by_a_rename_in_its_own_directory()
      throws Throwable {
    Files.createDirectories(bin);
    Files.createDirectories(conf);
    try (Inotify kernel = new Inotify(bin, conf)) {
      assertThat(install()).as(err).isZero();
      List<Event> events = kernel.events();
      assertThat(events.stream().filter(event -> event.kind() == Inotify.MOVED_TO))
          .extracting(Event::name)
          .containsExactly("margay-ipam", "margay-cni", LIST);
      Event appears = events.getLast();
      assertThat(appears.name()).as("nothing happens after it").isEqualTo(LIST);
      assertThat(appears.kind()).isEqualTo(Inotify.MOVED_TO);
      assertThat(events)
          .as("moved from the directory that is watched")
          .anyMatch(
              event ->
                  event.kind() == Inotify.MOVED_FROM
                      && event.directory().equals(conf)
                      && event.cookie() == appears.cookie());
      assertThat(events.stream().filter(event -> event.kind() == Inotify.CREATE))
          .as("names that no runtime loads or runs")
          .allMatch(event -> event.name().startsWith(".") && event.name().endsWith(".tmp"));
    }
    assertThat(names(bin)).containsExactly("margay-cni", "margay-ipam");
    assertThat(names(conf)).containsExactly(LIST);
    assertThat(mode(bin.resolve("margay-cni"))).isEqualTo("rwxr-xr-x");
    assertThat(mode(conf.resolve(LIST))).isEqualTo("rw-------");
    assertThat(bin.resolve("margay-ipam")).hasContent("the plugin");
  }

  @Test
  void installing_again_touches_nothing_that_is_as_it_should_be() throws Throwable {
    assertThat(install()).isZero();
    try (Inotify kernel = new Inotify(bin, conf)) {
      assertThat(install()).isZero();
      assertThat(kernel.events()).isEmpty();
    }
    assertThat(out).contains("margay-cni unchanged").doesNotContain("installed");
    assertThat(err).doesNotContain("--force");
  }

  @Test
  void the_shipped_configuration_is_one_that_every_runtime_can_use() throws IOException {
    JsonNode list = JSON.readTree(SHIPPED.toFile());
    // With 1.1.0 here, containerd 1.6 and podman 4 pass VERSION and fail ADD.
    assertThat(list.path("cniVersion").asText()).isEqualTo("1.0.0");
    assertThat(list.path("cniVersions"))
        .extracting(JsonNode::asText)
        .containsExactly("0.3.1", "0.4.0", "1.0.0", "1.1.0");
    assertThat(Conflist.parse(Files.readAllBytes(SHIPPED)).problems()).isEmpty();
  }

  @Test
  void a_release_that_is_newer_replaces_the_binaries_and_keeps_an_edited_configuration()
      throws IOException {
    assertThat(install("--readable")).isZero();
    assertThat(mode(conf.resolve(LIST))).isEqualTo("rw-r--r--");
    String edited = Files.readString(conf.resolve(LIST)).replace("k8s-pod-network", "blue");
    Files.writeString(conf.resolve(LIST), edited);
    Files.writeString(home.resolve("bin/margay-cni"), "the next plugin");
    Files.writeString(home.resolve("bin/margay-ipam"), "its allocator");
    assertThat(install()).isZero();
    assertThat(bin.resolve("margay-cni")).hasContent("the next plugin");
    assertThat(bin.resolve("margay-ipam")).hasContent("its allocator");
    assertThat(conf.resolve(LIST)).hasContent(edited);
    assertThat(mode(conf.resolve(LIST))).as("opened on purpose").isEqualTo("rw-r--r--");
    assertThat(err)
        .contains("name: \"blue\" there, \"k8s-pod-network\" in this release", "--force");
    assertThat(install("--force")).isZero();
    assertThat(Files.readString(conf.resolve(LIST))).contains("k8s-pod-network");
    assertThat(mode(conf.resolve(LIST))).isEqualTo("rw-------");
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"cniVersion\" | not JSON",
        "[]              | not a JSON object",
        "{\"cniVersion\":\"1.0.0\",\"plugins\":[{\"type\":\"margay-cni\"}]} | key name: missing",
        "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"plugins\":[{\"type\":\"bridge\"}]} | another"
            + " network's",
        "{\"cniVersion\":\"1.1.0\",\"name\":\"n\",\"plugins\":[{\"type\":\"margay-cni\"}]} |"
            + " \"1.1.0\" found",
      })
  void a_configuration_that_cannot_be_used_stops_everything_until_force(String there, String why)
      throws IOException {
    Files.createDirectories(conf);
    Files.writeString(conf.resolve(LIST), there);
    assertThat(install()).isEqualTo(ExitCodes.CONFLICT);
    assertThat(err).contains(why, "--force");
    assertThat(bin).doesNotExist();
    assertThat(conf.resolve(LIST)).hasContent(there);
    assertThat(install("--force")).isZero();
    assertThat(names(bin)).hasSize(2);
  }

  @Test
  void a_file_that_sorts_earlier_is_warned_of_and_each_runtimes_choice_is_told()
      throws IOException {
    Files.createDirectories(conf);
    Files.writeString(
        conf.resolve("00-other.conflist"),
        "{\"cniVersion\":\"1.0.0\",\"name\":\"other\",\"plugins\":[{\"type\":\"bridge\"}]}");
    Files.writeString(conf.resolve("00-not-loaded.conflist.bak"), "x");
    assertThat(install()).isZero();
    assertThat(err).contains("00-other.conflist sorts before " + LIST).doesNotContain("not-loaded");
    assertThat(row("containerd, ctr")).contains("00-other.conflist");
    assertThat(row("CRI-O")).contains("00-other.conflist");
    assertThat(row("podman 4")).contains(LIST);
    assertThat(row("Nomad, nerdctl")).contains(LIST);

    Files.writeString(conf.resolve("00-other.conflist"), "{");
    assertThat(install()).isZero();
    assertThat(err).contains("can't be used", "CRI-O skips it");
    assertThat(row("containerd, ctr")).contains("nothing: 00-other.conflist can't be used");
    assertThat(row("CRI-O")).contains(LIST);
  }

  private String row(String runtime) {
    return out.lines().filter(line -> line.startsWith(runtime)).findFirst().orElse("");
  }

  @Test
  void files_that_share_the_networks_name_or_add_to_it_are_warned_of() throws IOException {
    Files.createDirectories(conf.resolve("k8s-pod-network"));
    Files.writeString(
        conf.resolve("10-old.conf"),
        "{\"cniVersion\":\"1.0.0\",\"name\":\"k8s-pod-network\",\"type\":\"bridge\"}");
    assertThat(install()).isZero();
    assertThat(err).contains("10-old.conf has the same network name", "append the plugins in it");
    assertThat(err).contains("has no plugin loopback");
  }

  @Test
  void a_dry_run_says_what_and_does_nothing() throws IOException {
    assertThat(install("--dry-run")).isZero();
    assertThat(out)
        .contains(bin + " would be created", "margay-cni would be installed", "podman 4");
    assertThat(bin).doesNotExist();
    assertThat(conf).doesNotExist();
    assertThat(install()).isZero();
    assertThat(uninstall("--dry-run")).isZero();
    assertThat(out).contains(LIST + " would be removed");
    assertThat(names(conf)).containsExactly(LIST);
  }

  @Test
  void an_image_is_installed_below_its_root() throws IOException {
    Path root = Files.createDirectories(directory.resolve("image"));
    Files.createDirectories(root.resolve("opt"));
    StringWriter said = new StringWriter();
    int code =
        new CommandLine(new InstallCommand(Optional.of(home)))
            .setOut(new PrintWriter(said))
            .setErr(new PrintWriter(said))
            .execute("--root", root.toString(), "--run-dir", "/run/m1", "--network", "pods");
    assertThat(code).as(said.toString()).isZero();
    assertThat(root.resolve("opt/cni/bin/margay-cni")).isExecutable();
    JsonNode list = JSON.readTree(root.resolve("etc/cni/net.d").resolve(LIST).toFile());
    assertThat(list.path("name").asText()).isEqualTo("pods");
    assertThat(list.path("plugins").get(0).path("margayRunDir").asText()).isEqualTo("/run/m1");
    assertThat(
            new CommandLine(new UninstallCommand())
                .setOut(new PrintWriter(said))
                .execute("--root", root.toString()))
        .isZero();
    assertThat(names(root.resolve("opt/cni/bin"))).isEmpty();
    assertThat(names(root.resolve("etc/cni/net.d"))).isEmpty();
  }

  @Test
  void what_a_killed_installation_left_is_overwritten_or_taken_away() throws IOException {
    Files.createDirectories(conf);
    Files.createDirectories(bin);
    Path torn = conf.resolve("." + LIST + ".tmp");
    Files.writeString(torn, "{\"na");
    assertThat(install()).isZero();
    assertThat(names(conf)).containsExactly(LIST);
    Files.writeString(torn, "{\"na");
    assertThat(uninstall()).isZero();
    assertThat(names(conf)).isEmpty();
  }

  @Test
  void uninstalling_takes_ours_away_configuration_first_and_leaves_the_rest() throws Throwable {
    assertThat(install()).isZero();
    Files.writeString(bin.resolve("bridge"), "not ours");
    Files.writeString(conf.resolve("87-podman.conflist"), "{\"name\":\"p\"}");
    assertThat(uninstall()).isZero();
    assertThat(out.lines().map(line -> line.substring(line.lastIndexOf('/') + 1)))
        .containsExactly(
            LIST + " removed", "margay-cni removed", "margay-ipam removed", "margay.conf removed");
    assertThat(names(bin)).containsExactly("bridge");
    assertThat(names(conf)).containsExactly("87-podman.conflist");
    assertThat(uninstall()).as("again").isZero();
    assertThat(out).contains("not there");
  }

  @Test
  void what_is_not_ours_or_still_in_use_stays() throws IOException {
    assertThat(install()).isZero();
    String foreign =
        "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"plugins\":[{\"type\":\"bridge\"}]}";
    String ours = Files.readString(conf.resolve(LIST));
    Files.writeString(conf.resolve(LIST), foreign);
    assertThat(uninstall()).isEqualTo(ExitCodes.CONFLICT);
    assertThat(conf.resolve(LIST)).hasContent(foreign);
    assertThat(names(bin)).hasSize(2);

    Files.writeString(conf.resolve(LIST), ours);
    Files.writeString(
        conf.resolve("20-ptp.conflist"),
        "{\"name\":\"n\",\"plugins\":[{\"type\":\"ptp\",\"ipam\":{\"type\":\"margay-ipam\"}}]}");
    assertThat(uninstall()).isEqualTo(ExitCodes.CONFLICT);
    assertThat(err).contains("20-ptp.conflist uses the plugin");
    assertThat(names(conf)).containsExactly("20-ptp.conflist");
    assertThat(names(bin)).hasSize(2);
    assertThat(uninstall("--force")).isZero();
    assertThat(names(bin)).isEmpty();
  }

  @Test
  void a_distribution_without_the_plugin_or_no_distribution_is_one_line() throws IOException {
    Files.delete(home.resolve("bin/margay-cni"));
    assertThat(install()).isEqualTo(ExitCodes.FAILED);
    assertThat(err.lines()).hasSize(1);
    assertThat(conf).doesNotExist();
    assertThat(run(new InstallCommand(Optional.empty()))).isEqualTo(ExitCodes.FAILED);
    assertThat(err).contains("margay.home");
  }
}
