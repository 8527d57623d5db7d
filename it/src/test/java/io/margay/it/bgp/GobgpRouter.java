package io.margay.it.bgp;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// GoBGP, through `gobgp`. It has no kernel routes.
final class GobgpRouter implements Router {

  private static final int AS_PATH = 2;
  private static final int NEXT_HOP = 3;
  private static final int COMMUNITIES = 8;
  private static final int ORIGINATOR_ID = 9;
  private static final int CLUSTER_LIST = 10;
  private static final int MP_REACH = 14;
  private static final int EXTENDED_COMMUNITIES = 16;
  private static final int LARGE_COMMUNITIES = 32;

  private static final String REFLECTOR =
      """
          route-reflector:
            config:
              route-reflector-client: true
              route-reflector-cluster-id: 10.203.0.99
      """;

  private static final String RESTART =
      """
          graceful-restart:
            config:
              enabled: true
              restart-time: 60
              notification-enabled: true
      """;

  private final Lab lab;
  private Side side;
  private final Path room;
  private @Nullable Process process;

  GobgpRouter(Lab lab, Side side) {
    this.lab = lab;
    this.side = side;
    room = lab.room("gobgp" + side.number());
  }

  @Override
  public String name() {
    return "GoBGP";
  }

  @Override
  public int number() {
    return side.number();
  }

  @Override
  public void start() {
    launch();
  }

  /// Says with the R bit that it has restarted (RFC 4724).
  void startAgain() {
    launch("--graceful-restart");
  }

  private void launch(String... further) {
    Lab.write(room.resolve("gobgpd.yaml"), configuration());
    List<String> command =
        new ArrayList<>(
            List.of(
                "gobgpd",
                "-f",
                room.resolve("gobgpd.yaml").toString(),
                "-t",
                "yaml",
                "--api-hosts",
                "127.0.0.1:50051",
                "--log-plain",
                "--pprof-disable"));
    command.addAll(List.of(further));
    process =
        lab.start(
            lab.router(number()), "gobgp" + number() + "/log", command.toArray(String[]::new));
    Waiting.until(
        "gobgp", () -> Lab.read(room.resolve("log")), () -> gobgp("neighbor").exitCode() == 0);
    for (Origin origin : side.origins()) {
      for (int identifier = 1; identifier <= origin.paths(); identifier++) {
        originate(origin, identifier);
      }
    }
  }

  private void originate(Origin origin, int identifier) {
    List<String> command = new ArrayList<>(List.of("global", "rib", "add"));
    command.addAll(List.of("-a", origin.isIpv6() ? "ipv6" : "ipv4", origin.prefix()));
    if (origin.paths() > 1) {
      command.addAll(List.of("identifier", Integer.toString(identifier)));
    }
    if (!origin.path().isEmpty()) {
      String path = origin.path().toString().replaceAll("[\\[\\] ]", "");
      command.addAll(List.of("aspath", path));
    }
    String nextHop = origin.isIpv6() ? Lab.theirs6(number()) : Lab.theirs(number());
    command.addAll(List.of("nexthop", nextHop));
    if (identifier > 1) {
      command.addAll(List.of("med", Integer.toString(identifier)));
    }
    if (origin.communities()) {
      command.addAll(List.of("community", "65100:7", "large-community", "65100:1:2"));
      command.addAll(List.of("rt", "65100:9"));
    }
    Lab.Output added = gobgp(command.toArray(String[]::new));
    if (added.exitCode() != 0) {
      throw new AssertionError("gobgp " + command + ": " + added.text());
    }
  }

  private String configuration() {
    StringBuilder text = new StringBuilder();
    text.append("global:\n  config:\n");
    text.append("    as: " + side.asn() + "\n");
    text.append("    router-id: " + side.routerId() + "\n");
    text.append("    port: " + side.port() + "\nneighbors:\n");
    for (Peering peering : side.peerings()) {
      text.append(neighbourConfiguration(peering));
    }
    return text.toString();
  }

  private static String neighbourConfiguration(Peering peering) {
    StringBuilder text = new StringBuilder("  - config:\n");
    String address = peering.remote + (peering.isLinkLocal() ? "%node" : "");
    text.append("      neighbor-address: \"" + address + "\"\n");
    text.append("      peer-as: " + peering.remoteAsn + "\n");
    text.append(
        peering.password == null ? "" : "      auth-password: \"" + peering.password + "\"\n");
    text.append("    timers:\n      config:\n");
    text.append("        connect-retry: 2\n        idle-hold-time-after-reset: 2\n");
    text.append("        hold-time: " + peering.holdTimeSeconds + "\n");
    text.append("        keepalive-interval: " + peering.holdTimeSeconds / 3 + "\n");
    text.append("    transport:\n      config:\n");
    text.append("        passive-mode: " + peering.passive + "\n");
    text.append("        remote-port: " + peering.remotePort + "\n");
    text.append(peering.isLinkLocal() ? "" : "        local-address: \"" + peering.local + "\"\n");
    text.append(
        peering.ttlSecurity
            ? "    ttl-security:\n      config:\n        enabled: true\n        ttl-min: 255\n"
            : "");
    text.append(
        peering.multihop
            ? "    ebgp-multihop:\n      config:\n        enabled: true\n        multihop-ttl: 10\n"
            : "");
    text.append(peering.reflectorClient ? REFLECTOR : "");
    text.append(peering.gracefulRestart ? RESTART : "");
    text.append("    afi-safis:\n");
    for (String family : peering.families) {
      text.append("      - config:\n          afi-safi-name: " + family + "-unicast\n");
      text.append("        mp-graceful-restart:\n          config:\n");
      text.append("            enabled: " + peering.gracefulRestart + "\n");
      text.append("        add-paths:\n          config:\n");
      text.append("            receive: " + peering.addPathReceive + "\n");
      text.append("            send-max: " + (peering.addPathSend ? 8 : 0) + "\n");
      text.append(
          peering.maxPrefix > 0
              ? "        prefix-limit:\n          config:\n            max-prefixes: "
                  + peering.maxPrefix
                  + "\n"
              : "");
    }
    return text.toString();
  }

  private Lab.Output gobgp(String... command) {
    List<String> all = new ArrayList<>(List.of("gobgp"));
    all.addAll(List.of(command));
    return Lab.tryRun(lab.router(number()), all.toArray(String[]::new));
  }

  private static String spelled(String neighbour) {
    return neighbour.startsWith("fe80:") ? neighbour + "%node" : neighbour;
  }

  private JsonNode state(String neighbour) {
    return Json.parse(gobgp("-j", "neighbor", spelled(neighbour)).text()).path("state");
  }

  @Override
  public boolean established(String neighbour) {
    return state(neighbour).path("session_state").asInt() == 6;
  }

  @Override
  public String neighbour(String neighbour) {
    return gobgp("neighbor", spelled(neighbour)).text()
        + gobgp("-j", "neighbor", spelled(neighbour)).text();
  }

  @Override
  public List<SeenRoute> routes(String prefix) {
    String family = prefix.contains(":") ? "ipv6" : "ipv4";
    JsonNode rib = Json.parse(gobgp("-j", "global", "rib", "-a", family).text());
    List<SeenRoute> routes = new ArrayList<>();
    for (JsonNode path : rib.path(prefix)) {
      if (path.has("neighbor-ip")) {
        routes.add(route(path));
      }
    }
    return routes;
  }

  private static SeenRoute route(JsonNode path) {
    String nextHop = "";
    String originator = "";
    List<Long> asPath = new ArrayList<>();
    Set<String> communities = new HashSet<>();
    List<String> clusters = new ArrayList<>();
    for (JsonNode attribute : path.path("attrs")) {
      int type = attribute.path("type").asInt();
      if (type == NEXT_HOP || type == MP_REACH) {
        nextHop = attribute.path("nexthop").asText();
      } else if (type == AS_PATH) {
        for (JsonNode segment : attribute.path("as_paths")) {
          segment.path("asns").forEach(asn -> asPath.add(asn.asLong()));
        }
      } else if (type == COMMUNITIES) {
        attribute
            .path("communities")
            .forEach(one -> communities.add((one.asLong() >> 16) + ":" + (one.asLong() & 0xffff)));
      } else if (type == EXTENDED_COMMUNITIES) {
        for (JsonNode one : attribute.path("value")) {
          communities.add(
              (one.path("subtype").asInt() == 2 ? "rt:" : "?:") + one.path("value").asText());
        }
      } else if (type == LARGE_COMMUNITIES) {
        for (JsonNode one : attribute.path("value")) {
          communities.add(
              one.path("ASN").asText()
                  + ":"
                  + one.path("LocalData1").asText()
                  + ":"
                  + one.path("LocalData2").asText());
        }
      } else if (type == ORIGINATOR_ID) {
        originator = attribute.path("value").asText();
      } else if (type == CLUSTER_LIST) {
        attribute.path("value").forEach(one -> clusters.add(one.asText()));
      }
    }
    return new SeenRoute(
        path.path("neighbor-ip").asText(),
        nextHop,
        asPath,
        communities,
        originator,
        clusters,
        path.path("stale").asBoolean());
  }

  @Override
  public long updatesReceived(String neighbour) {
    return state(neighbour).at("/messages/received/update").asLong();
  }

  @Override
  public void refresh(String neighbour) {
    gobgp("neighbor", spelled(neighbour), "softresetin");
  }

  @Override
  public void reconfigure(Side wanted) {
    side = wanted;
    Lab.write(room.resolve("gobgpd.yaml"), configuration());
    if (process != null) {
      Lab.signal(process, "HUP");
    }
  }

  @Override
  public void shutdown(String neighbour, String text) {
    gobgp("neighbor", spelled(neighbour), "shutdown", "--reason", text);
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
