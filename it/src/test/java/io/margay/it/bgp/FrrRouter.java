package io.margay.it.bgp;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// FRR: zebra, bgpd and, when asked for, bfdd; through `vtysh`. Learned routes go to the kernel.
final class FrrRouter implements Router {

  private static final String DAEMONS = "/usr/lib/frr/";

  private static final String COMMUNITIES =
      """
       set community 65100:7
       set extcommunity rt 65100:9
       set large-community 65100:1:2
      """;

  private static final String RESTART =
      """
       bgp graceful-restart
       bgp graceful-restart preserve-fw-state
       bgp graceful-restart notification
      """;

  private final Lab lab;
  private Side side;
  private final Path room;
  private final List<Process> processes = new ArrayList<>();
  private @Nullable Process bgpd;

  FrrRouter(Lab lab, Side side) {
    this.lab = lab;
    this.side = side;
    room = lab.room("frr" + side.number());
  }

  @Override
  public String name() {
    return "FRR";
  }

  @Override
  public int number() {
    return side.number();
  }

  @Override
  public void start() {
    Lab.write(room.resolve("zebra.conf"), "log file " + room.resolve("zebra.log") + "\n");
    processes.add(daemon("zebra"));
    Waiting.until(
        "zebra's socket",
        () -> Lab.read(room.resolve("zebra.out")),
        () -> Files.exists(room.resolve("zserv")));
    if (side.peerings().stream().anyMatch(peering -> peering.bfd)) {
      Lab.write(room.resolve("bfdd.conf"), "log file " + room.resolve("bfdd.log") + "\n");
      processes.add(daemon("bfdd", "--bfdctl", room.resolve("bfdd.sock").toString()));
      Waiting.until(
          "bfdd's socket",
          () -> Lab.read(room.resolve("bfdd.out")),
          () -> Files.exists(room.resolve("bfdd.vty")));
    }
    startBgpd();
  }

  private void startBgpd() {
    Lab.forget(room.resolve("bgpd.vty"));
    Lab.write(room.resolve("bgpd.conf"), configuration());
    bgpd = daemon("bgpd", "-S", "-p", Integer.toString(side.port()));
    Waiting.until(
        "bgpd's socket",
        () -> Lab.read(room.resolve("bgpd.out")),
        () -> Files.exists(room.resolve("bgpd.vty")) && vtysh("show bgp summary").exitCode() == 0);
    String log = Lab.read(room.resolve("bgpd.log"));
    if (log.contains("No such command")) {
      throw new AssertionError("FRR does not know a command: " + log);
    }
  }

  private Process daemon(String daemon, String... further) {
    List<String> command =
        new ArrayList<>(
            List.of(
                DAEMONS + daemon,
                "-f",
                room.resolve(daemon + ".conf").toString(),
                "-i",
                room.resolve(daemon + ".pid").toString(),
                "--vty_socket",
                room.toString(),
                "-z",
                room.resolve("zserv").toString()));
    command.addAll(List.of(further));
    return lab.start(
        lab.router(number()),
        "frr" + number() + "/" + daemon + ".out",
        command.toArray(String[]::new));
  }

  private String configuration() {
    StringBuilder text = new StringBuilder();
    text.append("frr defaults datacenter\n");
    text.append("log file " + room.resolve("bgpd.log") + " debugging\n");
    text.append("route-map V6 permit 10\n set ipv6 next-hop global " + Lab.theirs6(number()));
    text.append("\n");
    for (int index = 0; index < side.origins().size(); index++) {
      text.append(attributes(index, side.origins().get(index)));
    }
    text.append("router bgp " + side.asn() + "\n");
    text.append(" bgp router-id " + side.routerId() + "\n");
    text.append(" no bgp ebgp-requires-policy\n no bgp network import-check\n");
    text.append(" bgp bestpath as-path multipath-relax\n");
    text.append(side.gracefulRestart() ? RESTART : " bgp graceful-restart-disable\n");
    side.peerings().forEach(peering -> text.append(session(peering)));
    for (String family : List.of("ipv4", "ipv6")) {
      text.append(" address-family " + family + " unicast\n");
      for (int index = 0; index < side.origins().size(); index++) {
        Origin origin = side.origins().get(index);
        if (origin.isIpv6() == family.equals("ipv6")) {
          text.append("  network " + origin.prefix() + " route-map O" + index + "\n");
        }
      }
      side.peerings().forEach(peering -> text.append(activation(family, peering)));
      text.append(" exit-address-family\n");
    }
    return text.toString();
  }

  private static String attributes(int index, Origin origin) {
    StringBuilder text = new StringBuilder("route-map O" + index + " permit 10\n");
    if (origin.communities()) {
      text.append(COMMUNITIES);
    }
    text.append(origin.drained() ? " set community graceful-shutdown additive\n" : "");
    if (!origin.path().isEmpty()) {
      text.append(" set as-path prepend");
      origin.path().forEach(asn -> text.append(" ").append(asn));
      text.append("\n");
    }
    return text.toString();
  }

  private static String session(Peering peering) {
    String neighbour = " neighbor " + peering.remote + " ";
    StringBuilder text = new StringBuilder();
    text.append(neighbour + "remote-as " + peering.remoteAsn + "\n");
    text.append(neighbour + "timers " + peering.holdTimeSeconds / 3);
    text.append(" " + peering.holdTimeSeconds + "\n");
    text.append(neighbour + "timers connect 2\n");
    text.append(peering.isLinkLocal() ? neighbour + "interface node\n" : "");
    text.append(peering.password == null ? "" : neighbour + "password " + peering.password + "\n");
    text.append(peering.ttlSecurity ? neighbour + "ttl-security hops 1\n" : "");
    text.append(peering.multihop ? neighbour + "ebgp-multihop 10\n" : "");
    text.append(peering.passive ? neighbour + "passive\n" : "");
    text.append(peering.remotePort == 179 ? "" : neighbour + "port " + peering.remotePort + "\n");
    text.append(peering.bfd ? neighbour + "bfd 3 300 300\n" : "");
    text.append(peering.extendedNextHop ? neighbour + "capability extended-nexthop\n" : "");
    return text.toString();
  }

  private String activation(String family, Peering peering) {
    String neighbour = "  neighbor " + peering.remote + " ";
    if (!peering.families.contains(family)) {
      return family.equals("ipv4") ? "  no" + neighbour.substring(1) + "activate\n" : "";
    }
    StringBuilder text = new StringBuilder(neighbour + "activate\n");
    if (family.equals("ipv6") && !peering.isIpv6()) {
      text.append(neighbour + "route-map V6 out\n");
    }
    text.append(
        peering.maxPrefix > 0 ? neighbour + "maximum-prefix " + peering.maxPrefix + "\n" : "");
    text.append(peering.addPathSend ? neighbour + "addpath-tx-all-paths\n" : "");
    text.append(peering.reflectorClient ? neighbour + "route-reflector-client\n" : "");
    return text.toString();
  }

  private Lab.Output vtysh(String... commands) {
    List<String> command = new ArrayList<>(List.of("vtysh", "--vty_socket", room.toString()));
    for (String one : commands) {
      command.addAll(List.of("-c", one));
    }
    return Lab.attempt(command.toArray(String[]::new));
  }

  private JsonNode state(String neighbour) {
    return Json.parse(neighbour(neighbour)).path(neighbour);
  }

  @Override
  public boolean established(String neighbour) {
    return state(neighbour).path("bgpState").asText().equals("Established");
  }

  @Override
  public String neighbour(String neighbour) {
    return vtysh("show bgp neighbors " + neighbour + " json").text();
  }

  @Override
  public List<SeenRoute> routes(String prefix) {
    String family = prefix.contains(":") ? "ipv6" : "ipv4";
    JsonNode shown =
        Json.parse(vtysh("show bgp " + family + " unicast " + prefix + " json").text());
    List<SeenRoute> routes = new ArrayList<>();
    for (JsonNode path : shown.path("paths")) {
      if (path.path("peer").path("peerId").asText().matches("0.0.0.0|::")) {
        continue;
      }
      Set<String> communities = new HashSet<>();
      for (String community : BirdRouter.words(path.at("/community/string").asText())) {
        communities.add(community.equals("graceful-shutdown") ? SeenRoute.DRAINED : community);
      }
      communities.addAll(BirdRouter.words(path.at("/largeCommunity/string").asText()));
      for (String extended : BirdRouter.words(path.at("/extendedCommunity/string").asText())) {
        communities.add(extended.toLowerCase(Locale.ROOT));
      }
      List<String> clusters = new ArrayList<>();
      path.at("/clusterList/list").forEach(cluster -> clusters.add(cluster.asText()));
      routes.add(
          new SeenRoute(
              path.at("/peer/peerId").asText(),
              path.at("/nexthops/0/ip").asText(),
              BirdRouter.numbers(path.at("/aspath/string").asText().replace("Local", "")),
              communities,
              path.path("originatorId").asText(),
              clusters,
              path.path("stale").asBoolean()));
    }
    return routes;
  }

  @Override
  public long updatesReceived(String neighbour) {
    return state(neighbour).at("/messageStats/updatesRecv").asLong();
  }

  @Override
  public void refresh(String neighbour) {
    vtysh("clear bgp ipv4 unicast " + neighbour + " soft in");
    vtysh("clear bgp ipv6 unicast " + neighbour + " soft in");
  }

  @Override
  public void reconfigure(Side wanted) {
    side = wanted;
    List<String> lines = new ArrayList<>(List.of("configure terminal", "router bgp " + side.asn()));
    side.peerings()
        .forEach(peering -> session(peering).lines().map(String::trim).forEach(lines::add));
    vtysh(lines.toArray(String[]::new));
  }

  @Override
  public void shutdown(String neighbour, String text) {
    vtysh(
        "configure terminal",
        "router bgp " + side.asn(),
        "neighbor " + neighbour + " shutdown message " + text);
  }

  @Override
  public String farewells(String neighbour) {
    return neighbour(neighbour) + Lab.read(room.resolve("bgpd.log"));
  }

  /// bgpd alone: zebra keeps the kernel's routes, as the peer of a graceful restart expects.
  void restartBgpd() {
    killBgpd();
    startBgpd();
  }

  private void killBgpd() {
    if (bgpd != null) {
      Lab.kill(bgpd);
    }
  }

  @Override
  public void freeze() {
    processes.forEach(Lab::freeze);
    if (bgpd != null) {
      Lab.freeze(bgpd);
    }
  }

  @Override
  public void kill() {
    killBgpd();
    processes.forEach(Lab::kill);
  }
}
