package io.margay.it.bgp;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// BIRD 2, through `birdc`. Learned routes go to the kernel, equal ones as ECMP.
final class BirdRouter implements Router {

  private static final Pattern RECEIVED = Pattern.compile("Import updates: +(\\d+)");

  /// So many families that the capabilities take more than 255 octets: then BIRD writes its OPEN as
  /// RFC 9072 says.
  private static final String MANY_CHANNELS =
      """
        long lived graceful restart on;
        ipv4 mpls { table l4; import all; export none; add paths on; };
        ipv6 mpls { table l6; import all; export none; add paths on; };
        ipv4 multicast { table m4; import all; export none; add paths on; };
        ipv6 multicast { table m6; import all; export none; add paths on; };
        vpn4 multicast { table v4; import all; export none; add paths on; };
        vpn6 multicast { table v6; import all; export none; add paths on; };
        vpn4 mpls { table v4; import all; export none; add paths on; };
        vpn6 mpls { table v6; import all; export none; add paths on; };
        flow4 { table f4; import all; export none; add paths on; };
        flow6 { table f6; import all; export none; add paths on; };
      """;

  private final Lab lab;
  private Side side;
  private final Path room;
  private @Nullable Process process;

  BirdRouter(Lab lab, Side side) {
    this.lab = lab;
    this.side = side;
    room = lab.room("bird" + side.number());
  }

  @Override
  public String name() {
    return "BIRD";
  }

  @Override
  public int number() {
    return side.number();
  }

  @Override
  public void start() {
    launch();
  }

  /// Recovers from the kernel what it had, until its peers have spoken.
  void startAgain() {
    launch("-R");
  }

  private void launch(String... further) {
    Lab.forget(room.resolve("ctl"));
    Lab.write(room.resolve("bird.conf"), configuration());
    List<String> command =
        new ArrayList<>(
            List.of(
                "bird",
                "-f",
                "-c",
                room.resolve("bird.conf").toString(),
                "-s",
                room.resolve("ctl").toString()));
    command.addAll(List.of(further));
    process =
        lab.start(lab.router(number()), "bird" + number() + "/out", command.toArray(String[]::new));
    Waiting.until(
        "birdc",
        () -> Lab.read(room.resolve("out")),
        () -> Files.exists(room.resolve("ctl")) && birdc("show status").exitCode() == 0);
  }

  private String configuration() {
    StringBuilder text = new StringBuilder();
    text.append("log \"" + room.resolve("log") + "\" all;\n");
    text.append("router id " + side.routerId() + ";\n");
    if (side.gracefulRestart()) {
      text.append("graceful restart wait 20;\n");
    }
    text.append(
        """
        protocol device { scan time 1; }
        protocol direct { ipv4; ipv6; interface "lo", "node", "far"; }
        protocol kernel { ipv4 { export where source = RTS_BGP; }; merge paths on; %1$s }
        protocol kernel { ipv6 { export where source = RTS_BGP; }; merge paths on; %1$s }
        """
            .formatted(side.gracefulRestart() ? "persist; graceful restart on;" : ""));
    if (side.peerings().stream().anyMatch(peering -> peering.extendedOptionalParameters)) {
      text.append("vpn4 table v4; vpn6 table v6; flow4 table f4; flow6 table f6;\n");
      text.append("ipv4 table l4; ipv6 table l6; ipv4 table m4; ipv6 table m6;\n");
    }
    if (side.peerings().stream().anyMatch(peering -> peering.bfd)) {
      text.append("protocol bfd { interface \"node\" { interval 300 ms; multiplier 3; }; }\n");
    }
    int most = side.origins().stream().mapToInt(Origin::paths).max().orElse(1);
    for (int copy = 1; copy <= most; copy++) {
      text.append(statics("ipv4", copy));
      text.append(statics("ipv6", copy));
    }
    for (int index = 0; index < side.peerings().size(); index++) {
      text.append(protocol(index, side.peerings().get(index)));
    }
    return text.toString();
  }

  private String statics(String family, int copy) {
    StringBuilder routes = new StringBuilder();
    for (Origin origin : side.origins()) {
      if (origin.isIpv6() != family.equals("ipv6") || origin.paths() < copy) {
        continue;
      }
      routes.append("  route ").append(origin.prefix()).append(" blackhole {");
      if (origin.communities()) {
        routes.append(
            " bgp_community.add((65100,7)); bgp_ext_community.add((rt,65100,9));"
                + " bgp_large_community.add((65100,1,2));");
      }
      routes.append(origin.drained() ? " bgp_community.add((65535,0));" : "");
      for (Long asn : origin.path().reversed()) {
        routes.append(" bgp_path.prepend(" + asn + ");");
      }
      if (copy > 1) {
        routes.append(" bgp_med = " + copy + ";");
      }
      routes.append(" };\n");
    }
    return "protocol static { " + family + ";\n" + routes + "}\n";
  }

  private String protocol(int index, Peering peering) {
    StringBuilder text = new StringBuilder("protocol bgp p" + index + " {\n");
    text.append("  local " + peering.local);
    text.append(side.port() == 179 ? "" : " port " + side.port());
    text.append(" as " + side.asn() + ";\n");
    text.append("  neighbor " + peering.remote + (peering.isLinkLocal() ? "%node" : ""));
    text.append(peering.remotePort == 179 ? "" : " port " + peering.remotePort);
    text.append(" as " + peering.remoteAsn + ";\n");
    text.append(
        "  connect delay time 1; connect retry time 2; error wait time 1,2; hold time "
            + peering.holdTimeSeconds
            + ";\n");
    text.append(peering.password == null ? "" : "  password \"" + peering.password + "\";\n");
    text.append(peering.ttlSecurity ? "  ttl security on;\n" : "");
    text.append(peering.multihop ? "  multihop;\n" : "");
    text.append(peering.passive ? "  passive on;\n" : "");
    text.append(peering.twoOctetAsn ? "  enable as4 off;\n" : "");
    text.append(peering.reflectorClient ? "  rr client;\n" : "");
    text.append(peering.gracefulRestart ? "  graceful restart on;\n" : "");
    text.append(peering.bfd ? "  bfd on;\n" : "");
    for (String family : peering.families) {
      text.append(channel(family, peering));
    }
    text.append(peering.extendedOptionalParameters ? MANY_CHANNELS : "");
    return text.append("}\n").toString();
  }

  private String channel(String family, Peering peering) {
    StringBuilder text = new StringBuilder("  " + family + " { import all;");
    text.append(" export where source = RTS_STATIC || source = RTS_BGP;");
    if (side.asn() != peering.remoteAsn && !peering.isLinkLocal()) {
      text.append(" next hop self;");
    }
    boolean foreign = family.equals("ipv6") && !peering.isIpv6();
    if (foreign) {
      text.append(" next hop address " + Lab.theirs6(number()) + ";");
    }
    text.append(
        peering.maxPrefix > 0 ? " receive limit " + peering.maxPrefix + " action disable;" : "");
    if (peering.addPathSend || peering.addPathReceive) {
      String way = !peering.addPathSend ? "rx" : peering.addPathReceive ? "on" : "tx";
      text.append(" add paths " + way + ";");
    }
    if (peering.extendedNextHop && family.equals("ipv4")) {
      text.append(" extended next hop on;");
    }
    return text.append(" };\n").toString();
  }

  private Lab.Output birdc(String command) {
    return Lab.tryRun(lab.router(number()), "birdc", "-s", room.resolve("ctl").toString(), command);
  }

  private String protocolOf(String neighbour) {
    for (int index = 0; index < side.peerings().size(); index++) {
      if (side.peerings().get(index).remote.equals(neighbour)) {
        return "p" + index;
      }
    }
    throw new AssertionError("BIRD has no neighbour " + neighbour);
  }

  @Override
  public boolean established(String neighbour) {
    return neighbour(neighbour).contains("BGP state:          Established");
  }

  @Override
  public String neighbour(String neighbour) {
    return birdc("show protocols all " + protocolOf(neighbour)).text();
  }

  @Override
  public List<SeenRoute> routes(String prefix) {
    List<SeenRoute> routes = new ArrayList<>();
    StringBuilder one = new StringBuilder();
    for (String line : birdc("show route all for " + prefix).text().lines().toList()) {
      boolean newPath = line.contains("unicast [") || line.contains("unreachable [");
      if (newPath || line.contains("blackhole [")) {
        add(routes, one);
      }
      one.append(line).append('\n');
    }
    add(routes, one);
    return routes;
  }

  private static void add(List<SeenRoute> routes, StringBuilder lines) {
    String text = lines.toString();
    lines.setLength(0);
    if (!text.contains("Type: BGP") || text.contains("BGP.as_path") == false) {
      return;
    }
    Set<String> communities = new HashSet<>();
    tuples(text, "BGP.community", communities);
    tuples(text, "BGP.ext_community", communities);
    tuples(text, "BGP.large_community", communities);
    routes.add(
        new SeenRoute(
            find(text, " from ([0-9a-f.:]+)"),
            find(text, "BGP.next_hop: (\\S+)"),
            numbers(find(text, "BGP.as_path: (.*)")),
            communities,
            find(text, "BGP.originator_id: (\\S+)"),
            words(find(text, "BGP.cluster_list: (.*)")),
            find(text, "\\* (\\([0-9]+s\\))").contains("s") || text.contains("s) [")));
  }

  private static void tuples(String text, String attribute, Set<String> into) {
    Matcher tuple =
        Pattern.compile("\\(([^)]*)\\)").matcher(find(text, Pattern.quote(attribute) + ": (.*)"));
    while (tuple.find()) {
      into.add(tuple.group(1).replace(" ", "").replace(',', ':'));
    }
  }

  static String find(String text, String pattern) {
    Matcher matcher = Pattern.compile(pattern).matcher(text);
    return matcher.find() ? matcher.group(1) : "";
  }

  static List<String> words(String text) {
    return text.isBlank() ? List.of() : List.of(text.trim().split("[ ,]+"));
  }

  static List<Long> numbers(String text) {
    return words(text).stream().map(Long::valueOf).toList();
  }

  @Override
  public long updatesReceived(String neighbour) {
    long sum = 0;
    Matcher matcher = RECEIVED.matcher(neighbour(neighbour));
    while (matcher.find()) {
      sum += Long.parseLong(matcher.group(1));
    }
    return sum;
  }

  @Override
  public void refresh(String neighbour) {
    birdc("reload in " + protocolOf(neighbour));
  }

  @Override
  public void reconfigure(Side wanted) {
    side = wanted;
    Lab.write(room.resolve("bird.conf"), configuration());
    birdc("configure");
  }

  @Override
  public void shutdown(String neighbour, String text) {
    birdc("disable " + protocolOf(neighbour) + " \"" + text + "\"");
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
