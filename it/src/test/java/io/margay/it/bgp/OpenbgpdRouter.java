package io.margay.it.bgp;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// OpenBGPD, through `bgpctl`. On Linux it keeps its hands off the kernel's routes.
final class OpenbgpdRouter implements Router {

  private final Lab lab;
  private Side side;
  private final Path room;
  private @Nullable Process process;

  OpenbgpdRouter(Lab lab, Side side) {
    this.lab = lab;
    this.side = side;
    room = lab.room("openbgpd" + side.number());
  }

  @Override
  public String name() {
    return "OpenBGPD";
  }

  @Override
  public int number() {
    return side.number();
  }

  @Override
  public void start() {
    Path config = writeConfiguration();
    // It gives up root into /run/openbgpd, which only its service makes; this /run is its own.
    process =
        lab.start(
            lab.router(number()),
            "openbgpd" + number() + "/log",
            "sh",
            "-c",
            "mount -t tmpfs tmpfs /run && mkdir /run/openbgpd && exec /usr/sbin/bgpd -d -f "
                + config);
    Waiting.until(
        "bgpctl",
        () -> Lab.read(room.resolve("log")),
        () -> Files.exists(room.resolve("ctl")) && bgpctl("show").exitCode() == 0);
  }

  private Path writeConfiguration() {
    Path config = room.resolve("bgpd.conf");
    Lab.write(config, configuration());
    try {
      // It refuses a file that others may read: passwords may be in it.
      Files.setPosixFilePermissions(config, PosixFilePermissions.fromString("rw-------"));
    } catch (IOException refused) {
      throw new UncheckedIOException(refused);
    }
    return config;
  }

  private String configuration() {
    StringBuilder text = new StringBuilder();
    text.append("AS " + side.asn() + "\nrouter-id " + side.routerId() + "\n");
    text.append("socket \"" + room.resolve("ctl") + "\"\nfib-update no\nconnect-retry 2\n");
    for (Peering peering : side.peerings()) {
      text.append("listen on " + peering.local + " port " + side.port() + "\n");
    }
    for (Origin origin : side.origins()) {
      text.append("network " + origin.prefix());
      if (origin.communities()) {
        text.append(
            " set { community 65100:7 large-community 65100:1:2 ext-community rt 65100:9 }");
      }
      text.append("\n");
    }
    side.peerings().forEach(peering -> text.append(neighbourConfiguration(peering)));
    text.append("allow from any\nallow to any\n");
    for (Origin origin : side.origins()) {
      if (!origin.path().isEmpty()) {
        text.append("match to any prefix " + origin.prefix() + " set prepend-neighbor 1\n");
      }
    }
    for (Peering peering : side.peerings()) {
      if (!peering.isIpv6() && peering.families.contains("ipv6")) {
        text.append("match to " + peering.remote + " prefix ::/0 prefixlen >= 0");
        text.append(" set nexthop " + Lab.theirs6(number()) + "\n");
      }
    }
    return text.toString();
  }

  private static String neighbourConfiguration(Peering peering) {
    StringBuilder text = new StringBuilder("neighbor " + peering.remote + " {\n");
    text.append("  remote-as " + peering.remoteAsn + "\n");
    text.append("  local-address " + peering.local + "\n");
    text.append("  holdtime " + peering.holdTimeSeconds + "\n");
    for (String family : List.of("IPv4", "IPv6")) {
      boolean wanted = peering.families.contains(family.equals("IPv4") ? "ipv4" : "ipv6");
      text.append("  announce " + family + (wanted ? " unicast\n" : " none\n"));
    }
    text.append(peering.password == null ? "" : "  tcp md5sig password " + peering.password + "\n");
    text.append(peering.ttlSecurity ? "  ttl-security yes\n" : "");
    text.append(peering.multihop ? "  multihop 10\n" : "");
    text.append(peering.passive ? "  passive\n" : "");
    text.append(peering.remotePort == 179 ? "" : "  port " + peering.remotePort + "\n");
    text.append(peering.twoOctetAsn ? "  announce as-4byte no\n" : "");
    text.append(peering.maxPrefix > 0 ? "  max-prefix " + peering.maxPrefix + "\n" : "");
    text.append(peering.addPathSend ? "  announce add-path send all\n" : "");
    text.append(peering.addPathReceive ? "  announce add-path recv yes\n" : "");
    text.append(peering.reflectorClient ? "  route-reflector\n" : "");
    text.append("  announce restart " + (peering.gracefulRestart ? "yes" : "no") + "\n");
    return text.append("}\n").toString();
  }

  private Lab.Output bgpctl(String... command) {
    List<String> all = new ArrayList<>(List.of("bgpctl", "-s", room.resolve("ctl").toString()));
    all.addAll(List.of(command));
    return Lab.attempt(all.toArray(String[]::new));
  }

  private JsonNode state(String neighbour) {
    return Json.parse(bgpctl("-j", "show", "neighbor", neighbour).text()).at("/neighbors/0");
  }

  @Override
  public boolean established(String neighbour) {
    return state(neighbour).path("state").asText().equals("Established");
  }

  @Override
  public String neighbour(String neighbour) {
    return bgpctl("show", "neighbor", neighbour).text()
        + bgpctl("-j", "show", "neighbor", neighbour).text();
  }

  @Override
  public List<SeenRoute> routes(String prefix) {
    JsonNode rib = Json.parse(bgpctl("-j", "show", "rib", "detail", prefix).text());
    List<SeenRoute> routes = new ArrayList<>();
    for (JsonNode path : rib.path("rib")) {
      if (!path.path("prefix").asText().equals(prefix)
          || path.at("/neighbor/description").asText().equals("LOCAL")) {
        continue;
      }
      Set<String> communities = new HashSet<>();
      path.path("communities").forEach(one -> communities.add(one.asText()));
      path.path("large_communities").forEach(one -> communities.add(one.asText()));
      path.path("extended_communities")
          .forEach(one -> communities.add(one.asText().replace(' ', ':')));
      List<String> clusters = new ArrayList<>();
      path.findPath("cluster_list").forEach(one -> clusters.add(one.asText()));
      routes.add(
          new SeenRoute(
              path.at("/neighbor/remote_addr").asText(),
              path.path("exit_nexthop").asText(),
              BirdRouter.numbers(path.path("aspath").asText()),
              communities,
              path.findPath("originator").asText(),
              clusters,
              path.path("stale").asBoolean()));
    }
    return routes;
  }

  @Override
  public long updatesReceived(String neighbour) {
    return state(neighbour).at("/stats/update/received/updates").asLong();
  }

  @Override
  public void refresh(String neighbour) {
    bgpctl("neighbor", neighbour, "refresh");
  }

  @Override
  public void reconfigure(Side wanted) {
    side = wanted;
    writeConfiguration();
    bgpctl("reload");
  }

  @Override
  public void shutdown(String neighbour, String text) {
    bgpctl("neighbor", neighbour, "down", text);
  }

  @Override
  public String farewells(String neighbour) {
    return neighbour(neighbour) + Lab.read(room.resolve("log"));
  }

  @Override
  public void freeze() {
    if (process != null) {
      Lab.freeze(process);
    }
  }

  @Override
  public void kill() {
    if (process != null) {
      Lab.kill(process);
    }
  }
}
