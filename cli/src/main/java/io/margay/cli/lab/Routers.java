package io.margay.cli.lab;

import io.margay.cli.lab.Topology.Tor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// Starts the routers of a lab and asks BIRD what it knows.
public final class Routers {

  private static final Duration START_LIMIT = Duration.ofSeconds(20);
  private static final String FRR = "/usr/lib/frr/";

  /// FRR's daemons give up root as they start, and make their sockets afterwards.
  private static final String FRR_USER = "frr";

  private final LabPlan plan;

  public Routers(LabPlan plan) {
    this.plan = plan;
  }

  /// Writes the router's configuration and starts its daemon; returns before it answers.
  ///
  /// @return what [#awaitAnswering] waits for
  List<Daemon> start(Tor tor) throws LabException {
    Path home = plan.torDirectory(tor);
    String namespace = plan.machineNamespace(tor.name());
    List<Daemon> daemons = new ArrayList<>();
    switch (tor.daemon()) {
      case BIRD -> {
        Path config = write(home.resolve("bird.conf"), RouterConfigs.bird(plan, tor));
        daemons.add(
            Daemon.start(
                "bird",
                namespace,
                home,
                List.of(
                    "bird",
                    "-f",
                    "-c",
                    config.toString(),
                    "-s",
                    control(tor).toString(),
                    "-P",
                    home.resolve("bird.pid").toString())));
      }
      case FRR -> {
        Path zebra = write(home.resolve("zebra.conf"), RouterConfigs.zebra(plan, tor));
        Path bgpd = write(home.resolve("bgpd.conf"), RouterConfigs.frr(plan, tor));
        Path socket = home.resolve("zserv.api");
        giveTo(FRR_USER, home);
        Daemon kernel =
            Daemon.start(
                "zebra", namespace, home, frr("zebra", home, zebra, socket, List.of("-r")));
        // bgpd looks for zebra once at its start and again only after seconds.
        kernel.await(START_LIMIT, () -> Files.exists(socket));
        daemons.add(kernel);
        if (plan.topology().bgp().bfd().isPresent()) {
          Path bfdd =
              write(home.resolve("bfdd.conf"), "log file " + home.resolve("bfdd.log") + "\n");
          List<String> control = List.of("--bfdctl", home.resolve("bfdd.sock").toString());
          Daemon watch =
              Daemon.start("bfdd", namespace, home, frr("bfdd", home, bfdd, socket, control));
          watch.await(START_LIMIT, () -> Files.exists(home.resolve("bfdd.vty")));
          daemons.add(watch);
        }
        daemons.add(
            Daemon.start("bgpd", namespace, home, frr("bgpd", home, bgpd, socket, List.of())));
      }
      case GOBGP -> {
        Path config = write(home.resolve("gobgpd.toml"), RouterConfigs.gobgp(plan, tor));
        daemons.add(
            Daemon.start(
                "gobgpd",
                namespace,
                home,
                List.of(
                    "gobgpd",
                    "-t",
                    "toml",
                    "-f",
                    config.toString(),
                    "--api-hosts",
                    "127.0.0.1:50051")));
      }
    }
    return daemons;
  }

  private static void giveTo(String user, Path directory) throws LabException {
    try {
      Files.setOwner(
          directory,
          directory.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName(user));
    } catch (IOException failed) {
      throw new LabException(
          "can't give " + directory + " to the user " + user + ": " + failed, failed);
    }
  }

  private static List<String> frr(
      String daemon, Path home, Path config, Path socket, List<String> more) {
    List<String> argv =
        new ArrayList<>(
            List.of(
                FRR + daemon,
                "-f",
                config.toString(),
                "-i",
                home.resolve(daemon + ".frr.pid").toString(),
                "--vty_socket",
                home.toString(),
                "-z",
                socket.toString()));
    argv.addAll(more);
    return argv;
  }

  void awaitAnswering(Tor tor, List<Daemon> daemons) throws LabException {
    for (Daemon daemon : daemons) {
      switch (tor.daemon()) {
        case BIRD -> daemon.await(START_LIMIT, () -> Files.exists(control(tor)));
        case FRR ->
            daemon.await(
                START_LIMIT,
                () -> Files.exists(plan.torDirectory(tor).resolve(daemon.name() + ".vty")));
        case GOBGP ->
            daemon.await(
                START_LIMIT,
                () -> {
                  try {
                    return Command.in(plan.machineNamespace(tor.name()), "gobgp", "global")
                            .run()
                            .status()
                        == 0;
                  } catch (LabException notYet) {
                    return false;
                  }
                });
      }
    }
  }

  private static Path write(Path file, String text) throws LabException {
    try {
      Files.createDirectories(file.getParent());
      return Files.writeString(file, text);
    } catch (IOException failed) {
      throw new LabException("can't write " + file + ": " + failed, failed);
    }
  }

  private Path control(Tor tor) {
    return plan.torDirectory(tor).resolve("bird.ctl");
  }

  /// What `birdc` prints for `command` on this router.
  public String birdc(Tor tor, String command) throws LabException {
    List<String> argv = new ArrayList<>(List.of("birdc", "-s", control(tor).toString()));
    argv.addAll(List.of(command.split(" ")));
    return Command.of(argv.toArray(String[]::new)).output();
  }

  /// Whether BIRD's session with the node is up, past its own End-of-RIB bookkeeping: established,
  /// and no routes kept for a neighbour that is restarting (RFC 4724 §4.2).
  public boolean isSettled(Tor tor, String node) throws LabException {
    String shown = birdc(tor, "show protocols all " + LabPlan.birdName(node));
    return shown.contains("BGP state:          Established")
        && !shown.contains("Neighbor graceful restart active");
  }

  /// The prefixes in BIRD's tables that came over the session with the node, as BIRD prints them.
  public List<String> announcedBy(Tor tor, String node) throws LabException {
    return birdc(tor, "show route protocol " + LabPlan.birdName(node))
        .lines()
        .filter(
            line ->
                !line.isEmpty() && Character.isLetterOrDigit(line.charAt(0)) && line.contains("/"))
        .map(line -> line.substring(0, line.indexOf(' ')))
        .toList();
  }
}
