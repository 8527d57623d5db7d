package io.margay.cli.install;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.cli.ExitCodes;
import io.margay.cli.TextTable;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `margay install`: the plugin's binaries, and then the network configuration, whose appearance
/// tells runtimes that the node is ready for pods.
@Command(
    name = "install",
    description = {
      "Put the CNI plugin where container runtimes look: margay-cni and margay-ipam, and last",
      "05-margay.conflist, at whose appearance runtimes call the node ready. Can be repeated; a",
      "configuration of ours that was edited is kept, and the differences told. Routes of ours get",
      "their name in what ip prints. With --service also the agent's systemd unit."
    })
public final class InstallCommand implements Callable<Integer> {

  private static final String LOOPBACK = "loopback";

  @Mixin private InstallPlaces places = new InstallPlaces();

  @Option(
      names = "--readable",
      description =
          "mode 0644 for the configuration (default: 0600), for tools that read it without root's"
              + " rights")
  private boolean readable;

  @Option(
      names = "--network",
      paramLabel = "NAME",
      description = "the network's name (default: the shipped file's)")
  private Optional<String> network = Optional.empty();

  @Option(
      names = "--run-dir",
      paramLabel = "DIR",
      description = "the agent's runDir, if it is another than /run/margay")
  private Optional<Path> runDir = Optional.empty();

  @Spec private CommandSpec spec = CommandSpec.create();

  private final Optional<Path> home;

  public InstallCommand() {
    this(Optional.ofNullable(System.getProperty("margay.home")).map(Path::of));
  }

  /// @param home the distribution: `bin/margay-cni`, `etc/05-margay.conflist`
  InstallCommand(Optional<Path> home) {
    this.home = home;
  }

  @Override
  public Integer call() {
    PrintWriter err = spec.commandLine().getErr();
    if (home.isEmpty()) {
      err.println(
          "margay: the system property margay.home is not set: install through bin/margay of a"
              + " distribution");
      return ExitCodes.FAILED;
    }
    try {
      return install(home.get());
    } catch (NoSuchFileException missing) {
      err.println("margay: " + missing.getMessage() + ": no such file; nothing after it was done");
    } catch (IOException failure) {
      err.println(
          "margay: "
              + failure.getClass().getSimpleName()
              + ": "
              + failure.getMessage()
              + "; nothing after it was done, repeat margay install");
    }
    return ExitCodes.FAILED;
  }

  private int install(Path distribution) throws IOException {
    // Everything is read and judged before the first file is written.
    Map<PlacedFile, byte[]> binaries = binaries(distribution.resolve("bin"));
    Conflist wanted = wanted(distribution.resolve("etc").resolve(InstallPlaces.CONFLIST));
    PlacedFile conflist = places.conflist(mode());
    Optional<byte[]> kept = kept(conflist, wanted);
    Optional<ServiceUnit> unit =
        places.isWithService() ? Optional.of(unit(distribution)) : Optional.empty();
    byte[] protocols =
        Files.readAllBytes(
            distribution.resolve("etc/rt_protos.d").resolve(InstallPlaces.PROTOCOLS));
    if (kept.isEmpty() || (unit.isPresent() && isForeignUnit())) {
      return ExitCodes.CONFLICT;
    }
    if (unit.isPresent()) {
      directory(places.unitDirectory());
      place(places.unit(), unit.get().content());
    }
    directory(places.protocolsDirectory());
    place(places.protocols(), protocols);
    directory(places.binDirectory());
    directory(places.confDirectory());
    for (Map.Entry<PlacedFile, byte[]> binary : binaries.entrySet()) {
      place(binary.getKey(), binary.getValue());
    }
    place(conflist, kept.get());
    tell(wanted, kept.get());
    if (unit.isPresent()) {
      tellService(distribution);
    }
    return ExitCodes.OK;
  }

  private void tellService(Path distribution) {
    PrintWriter err = spec.commandLine().getErr();
    err.println("margay: systemctl daemon-reload && systemctl enable --now margay starts it");
    if (places.isOfThisMachine()
        && ServiceUnit.HIDDEN.stream().anyMatch(distribution.toAbsolutePath()::startsWith)) {
      err.println(
          "margay: the unit can't see "
              + distribution
              + " (ProtectHome=yes, PrivateTmp=yes); move the distribution, to /opt/margay say, and"
              + " install from there");
    }
  }

  private ServiceUnit unit(Path distribution) throws IOException {
    ServiceUnit shipped =
        ServiceUnit.read(distribution.resolve("etc/systemd").resolve(ServiceUnit.NAME));
    return places.isOfThisMachine()
        ? shipped.running(distribution.toAbsolutePath().normalize().resolve("bin/margay"))
        : shipped;
  }

  private boolean isForeignUnit() throws IOException {
    Path path = places.unit().path();
    if (places.isForced() || !Files.exists(path) || ServiceUnit.isOurs(path)) {
      return false;
    }
    spec.commandLine()
        .getErr()
        .println("margay: " + path + " is not ours; nothing was done, --force replaces it");
    return true;
  }

  /// Whoever opened the file to others meant it.
  private String mode() throws IOException {
    Path path = places.confDirectory().resolve(InstallPlaces.CONFLIST);
    if (readable) {
      return "rw-r--r--";
    }
    return Files.exists(path) && !places.isForced()
        ? PosixFilePermissions.toString(Files.getPosixFilePermissions(path))
        : "rw-------";
  }

  /// Both names are one program.
  private Map<PlacedFile, byte[]> binaries(Path directory) throws IOException {
    byte[] plugin = Files.readAllBytes(directory.resolve(Conflist.PLUGIN));
    Path ownIpam = directory.resolve(Conflist.IPAM);
    byte[] ipam = Files.exists(ownIpam) ? Files.readAllBytes(ownIpam) : plugin;
    Map<PlacedFile, byte[]> binaries = new LinkedHashMap<>();
    binaries.put(places.binary(Conflist.IPAM), ipam);
    binaries.put(places.binary(Conflist.PLUGIN), plugin);
    return binaries;
  }

  private Conflist wanted(Path shipped) throws IOException {
    ObjectNode json = Conflist.parse(Files.readAllBytes(shipped)).json();
    network.ifPresent(name -> json.put("name", name));
    runDir.ifPresent(
        directory ->
            json.path("plugins")
                .forEach(
                    plugin -> {
                      if (plugin instanceof ObjectNode own
                          && own.path("type").asText().equals(Conflist.PLUGIN)) {
                        own.put("margayRunDir", directory.toString());
                      }
                    }));
    return new Conflist(json);
  }

  /// What the configuration is going to hold: what an operator made of it, or what is wanted.
  ///
  /// @return empty when what is there can't be used and is not to be replaced
  private Optional<byte[]> kept(PlacedFile file, Conflist wanted) throws IOException {
    if (!Files.exists(file.path()) || places.isForced()) {
      return Optional.of(wanted.content());
    }
    PrintWriter err = spec.commandLine().getErr();
    byte[] there = Files.readAllBytes(file.path());
    List<String> problems;
    List<String> differences = List.of();
    try {
      Conflist found = Conflist.parse(there);
      problems = found.problems();
      differences = found.differences(wanted);
    } catch (IOException broken) {
      problems = List.of(String.valueOf(broken.getMessage()));
    }
    if (!problems.isEmpty()) {
      problems.forEach(problem -> err.println(file.path() + ": " + problem));
      err.println("margay: nothing was done; mend or remove the file, or replace it with --force");
      return Optional.empty();
    }
    if (differences.isEmpty()) {
      return Optional.of(there);
    }
    differences.forEach(difference -> err.println(file.path() + ": " + difference));
    err.println(file.path() + " is kept as it is; --force replaces it");
    return Optional.of(there);
  }

  private void directory(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      if (!places.isDryRun()) {
        Files.createDirectories(directory);
      }
      done("created", directory);
    }
  }

  private void place(PlacedFile file, byte[] content) throws IOException {
    if (file.holds(content)) {
      spec.commandLine().getOut().println(file.path() + " unchanged");
      return;
    }
    if (!places.isDryRun()) {
      file.place(content);
    }
    done("installed", file.path());
  }

  private void done(String what, Path path) {
    spec.commandLine().getOut().println(path + (places.isDryRun() ? " would be " : " ") + what);
  }

  private void tell(Conflist wanted, byte[] inPlace) throws IOException {
    ConfDirectory directory = ConfDirectory.read(places.confDirectory());
    directory.put(InstallPlaces.CONFLIST, inPlace);
    String name = directory.find(InstallPlaces.CONFLIST).orElse(wanted).name();
    TextTable table = new TextTable("RUNTIME", "LOADS", "BECAUSE IT TAKES");
    directory
        .choices(name)
        .forEach(choice -> table.row(choice.runtime(), choice.file(), choice.why()));
    PrintWriter out = spec.commandLine().getOut();
    out.println();
    out.print(table);
    out.flush();
    PrintWriter err = spec.commandLine().getErr();
    directory
        .warnings(InstallPlaces.CONFLIST)
        .forEach(warning -> err.println("margay: " + warning));
    if (!Files.exists(places.binDirectory().resolve(LOOPBACK))) {
      err.println(
          "margay: "
              + places.binDirectory()
              + " has no plugin "
              + LOOPBACK
              + ", which containerd before 2.0 needs for every pod; install the standard plugins");
    }
    err.flush();
  }
}
