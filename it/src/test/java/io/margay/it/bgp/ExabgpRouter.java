package io.margay.it.bgp;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// ExaBGP, through its process API: the events it reports are replayed into the routes it has, and
/// commands go to it through a pipe. It learns routes but keeps no table and no kernel routes.
final class ExabgpRouter implements Router {

  private final Lab lab;
  private Side side;
  private final Path room;
  private @Nullable Process process;

  ExabgpRouter(Lab lab, Side side) {
    this.lab = lab;
    this.side = side;
    room = lab.room("exabgp" + side.number());
  }

  @Override
  public String name() {
    return "ExaBGP";
  }

  @Override
  public int number() {
    return side.number();
  }

  @Override
  public void start() {
    if (!Files.exists(room.resolve("commands"))) {
      Lab.host("mkfifo", room.resolve("commands").toString());
    }
    Lab.write(room.resolve("log"), "");
    Lab.write(
        room.resolve("api.sh"),
        """
        exec 3<&0
        cat <&3 >>%1$s/events &
        while :; do cat %1$s/commands; done
        """
            .formatted(room));
    Lab.write(room.resolve("exabgp.conf"), configuration());
    process =
        lab.start(
            lab.router(number()),
            "exabgp" + number() + "/log",
            "env",
            "exabgp_daemon_user=root",
            "exabgp_daemon_daemonize=false",
            "exabgp_api_cli=false",
            "exabgp_tcp_bind=" + side.peerings().getFirst().local,
            "exabgp_tcp_port=" + side.port(),
            "exabgp_log_packets=false",
            "exabgp",
            room.resolve("exabgp.conf").toString());
    Waiting.until(
        "ExaBGP",
        () -> Lab.read(room.resolve("log")),
        () -> Lab.read(room.resolve("log")).contains("loaded new configuration"));
  }

  private String configuration() {
    StringBuilder text =
        new StringBuilder(
            "process lab { run /bin/sh " + room.resolve("api.sh") + "; encoder json; }\n");
    for (Peering peering : side.peerings()) {
      text.append("neighbor " + peering.remote + " {\n");
      text.append("  router-id " + side.routerId() + ";\n");
      text.append("  local-address " + peering.local + ";\n");
      text.append("  local-as " + side.asn() + ";\n  peer-as " + peering.remoteAsn + ";\n");
      text.append("  hold-time " + peering.holdTimeSeconds + ";\n");
      text.append(peering.password == null ? "" : "  md5-password \"" + peering.password + "\";\n");
      text.append(peering.ttlSecurity ? "  outgoing-ttl 255;\n  incoming-ttl 255;\n" : "");
      text.append(peering.multihop ? "  outgoing-ttl 10;\n" : "");
      text.append(peering.passive ? "  passive;\n" : "");
      text.append(peering.remotePort == 179 ? "" : "  connect " + peering.remotePort + ";\n");
      text.append("  capability {\n");
      text.append("    asn4 " + (peering.twoOctetAsn ? "disable" : "enable") + ";\n");
      text.append("    route-refresh enable;\n");
      text.append(peering.gracefulRestart ? "    graceful-restart 60;\n" : "");
      text.append(peering.extendedNextHop ? "    nexthop enable;\n" : "");
      if (peering.addPathSend || peering.addPathReceive) {
        String way =
            !peering.addPathSend ? "receive" : peering.addPathReceive ? "send/receive" : "send";
        text.append("    add-path " + way + ";\n");
      }
      text.append("  }\n  family {");
      peering.families.forEach(family -> text.append(" " + family + " unicast;"));
      text.append(" }\n");
      text.append(peering.extendedNextHop ? "  nexthop { ipv4 unicast ipv6; }\n" : "");
      text.append("  api { processes [ lab ]; neighbor-changes;\n");
      text.append("    receive { parsed; update; notification; open; refresh; } }\n");
      text.append("  static {\n");
      side.origins().forEach(origin -> text.append(routes(origin, peering)));
      text.append("  }\n}\n");
    }
    return text.toString();
  }

  private String routes(Origin origin, Peering peering) {
    if (!peering.families.contains(origin.isIpv6() ? "ipv6" : "ipv4")) {
      return "";
    }
    StringBuilder text = new StringBuilder();
    for (int identifier = 1; identifier <= origin.paths(); identifier++) {
      text.append("    route " + origin.prefix());
      text.append(origin.paths() > 1 ? " path-information 0.0.0." + identifier : "");
      boolean ipv6 = origin.isIpv6() || (peering.extendedNextHop && peering.isIpv6());
      text.append(" next-hop " + (ipv6 ? Lab.theirs6(number()) : Lab.theirs(number())));
      List<Long> path = new ArrayList<>();
      if (side.asn() != peering.remoteAsn) {
        path.add(side.asn());
      }
      path.addAll(origin.path());
      text.append(" as-path " + path.toString().replace(",", ""));
      text.append(identifier > 1 ? " med " + identifier : "");
      if (origin.communities()) {
        text.append(
            " community [65100:7] large-community [65100:1:2]"
                + " extended-community [target:65100:9]");
      }
      text.append(";\n");
    }
    return text.toString();
  }

  private List<JsonNode> events(String neighbour) {
    List<JsonNode> events = new ArrayList<>();
    for (String line : Lab.read(room.resolve("events")).lines().toList()) {
      JsonNode event = Json.parse(line);
      if (event.at("/neighbor/address/peer").asText().equals(neighbour)) {
        events.add(event);
      }
    }
    return events;
  }

  @Override
  public boolean established(String neighbour) {
    String last = "";
    for (JsonNode event : events(neighbour)) {
      if (event.path("type").asText().equals("state")) {
        last = event.at("/neighbor/state").asText();
      }
    }
    return last.equals("up");
  }

  @Override
  public String neighbour(String neighbour) {
    StringBuilder text = new StringBuilder();
    events(neighbour).forEach(event -> text.append(event).append('\n'));
    return text.toString();
  }

  /// A path is known by prefix and path identifier; a session that ends takes its paths along.
  @Override
  public List<SeenRoute> routes(String prefix) {
    List<SeenRoute> all = new ArrayList<>();
    for (Peering peering : side.peerings()) {
      Map<String, SeenRoute> known = new LinkedHashMap<>();
      for (JsonNode event : events(peering.remote)) {
        String type = event.path("type").asText();
        if (type.equals("state") && event.at("/neighbor/state").asText().equals("down")) {
          known.clear();
        }
        JsonNode update = event.at("/neighbor/message/update");
        update
            .path("withdraw")
            .forEach(
                family ->
                    family.forEach(
                        nlri -> {
                          if (nlri.path("nlri").asText().equals(prefix)) {
                            known.remove(nlri.path("path-information").asText());
                          }
                        }));
        for (JsonNode family : update.path("announce")) {
          family
              .properties()
              .forEach(
                  hop ->
                      hop.getValue()
                          .forEach(
                              nlri -> {
                                if (nlri.path("nlri").asText().equals(prefix)) {
                                  known.merge(
                                      nlri.path("path-information").asText(),
                                      route(peering, hop.getKey(), update.path("attribute")),
                                      (old, next) ->
                                          next.nextHop().startsWith("fe80:") ? old : next);
                                }
                              }));
        }
      }
      all.addAll(known.values());
    }
    return all;
  }

  private static SeenRoute route(Peering peering, String nextHop, JsonNode attributes) {
    List<Long> path = new ArrayList<>();
    attributes.path("as-path").forEach(asn -> path.add(asn.asLong()));
    Set<String> communities = new HashSet<>();
    attributes.path("community").forEach(one -> communities.add(joined(one)));
    attributes.path("large-community").forEach(one -> communities.add(joined(one)));
    attributes
        .path("extended-community")
        .forEach(one -> communities.add(one.path("string").asText().replace("target", "rt")));
    List<String> clusters = new ArrayList<>();
    attributes.path("cluster-list").forEach(one -> clusters.add(one.asText()));
    return new SeenRoute(
        peering.remote,
        nextHop,
        path,
        communities,
        attributes.path("originator-id").asText(),
        clusters,
        false);
  }

  private static String joined(JsonNode numbers) {
    List<String> parts = new ArrayList<>();
    numbers.forEach(number -> parts.add(number.asText()));
    return String.join(":", parts);
  }

  @Override
  public long updatesReceived(String neighbour) {
    return events(neighbour).stream()
        .filter(event -> event.path("type").asText().equals("update"))
        .count();
  }

  void tell(String command) {
    try {
      Files.writeString(room.resolve("commands"), command + "\n");
    } catch (IOException gone) {
      throw new UncheckedIOException(gone);
    }
  }

  @Override
  public void refresh(String neighbour) {
    tell("neighbor " + neighbour + " announce route-refresh ipv4 unicast");
    tell("neighbor " + neighbour + " announce route-refresh ipv6 unicast");
  }

  @Override
  public void reconfigure(Side wanted) {
    side = wanted;
    Lab.write(room.resolve("exabgp.conf"), configuration());
    if (process != null) {
      Lab.signal(process, "USR1");
    }
  }

  /// ExaBGP can name a subcode but no text.
  @Override
  public void shutdown(String neighbour, String text) {
    tell("neighbor " + neighbour + " teardown 2");
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
