package io.margay.agent.calc;

import io.margay.agent.firewall.Failsafe;
import io.margay.agent.firewall.HostProtection;
import io.margay.agent.firewall.HostProtection.ToHostAction;
import io.margay.agent.firewall.PacketLog;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.FelixConfiguration;
import io.margay.model.resource.Port;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The knobs of FelixConfiguration that protect a node, that say how packets are logged, wrapped
/// and masqueraded.
public final class HostKnobs {

  private static final Map<String, Integer> PROTOCOLS = Map.of("tcp", 6, "udp", 17, "sctp", 132);
  private static final int TCP = 6;

  private final List<Failsafe> datastore;
  private PacketLog packetLog;
  private final KnobsInForce knobs;

  /// What follows, and what of the knobs could not be understood or is not done here.
  ///
  /// @param maySpoof whether endpoints may send from `allowSpoofedSourcePrefixes`
  /// @param tunnel how packets between nodes are wrapped
  /// @param nat how pods of pools with natOutgoing leave the cluster
  /// @param problems each with the knob and what is done instead
  public record Reading(
      HostProtection protection,
      PacketLog packetLog,
      boolean maySpoof,
      TunnelKnobs tunnel,
      NatKnobs nat,
      List<String> problems) {}

  /// @param datastore ports out that stay open whatever is configured
  /// @param packetLog without any knob
  public HostKnobs(String nodeName, List<Failsafe> datastore, PacketLog packetLog) {
    this.knobs = new KnobsInForce(nodeName);
    this.datastore = List.copyOf(datastore);
    this.packetLog = packetLog;
  }

  /// @param next without any knob
  public void setPacketLog(PacketLog next) {
    packetLog = next;
  }

  /// Takes the current state of one configuration.
  ///
  /// @param value null when it does not exist
  public void onUpdate(String name, @Nullable FelixConfiguration value) {
    knobs.onUpdate(name, value);
  }

  /// Takes the node's labels.
  ///
  /// @param labels null when the node has no resource
  /// @return whether they are others than before
  public boolean setNodeLabels(@Nullable Map<String, String> labels) {
    return knobs.setLabels(labels);
  }

  /// What follows for the node.
  public Reading read() {
    List<String> problems = new ArrayList<>();
    Set<Failsafe> outbound =
        new LinkedHashSet<>(
            failsafes("failsafeOutboundHostPorts", HostProtection.DEFAULT_OUTBOUND, problems));
    outbound.addAll(datastore);
    List<Failsafe> inbound =
        failsafes("failsafeInboundHostPorts", HostProtection.DEFAULT_INBOUND, problems);
    HostProtection protection =
        new HostProtection(toHost(problems), inbound, List.copyOf(outbound));
    PacketLog log = LogKnobs.apply(packetLog, this::knob, problems);
    boolean maySpoof = maySpoof(problems);
    TunnelKnobs tunnel = TunnelKnobs.read(this::knob, problems);
    NatKnobs nat = NatKnobs.read(this::knob, problems);
    problems.addAll(InertKnobs.problems(knobs.settings()));
    knobs.problem().ifPresent(problems::add);
    return new Reading(protection, log, maySpoof, tunnel, nat, List.copyOf(problems));
  }

  private @Nullable Object knob(String name) {
    return knobs.settings().get(name);
  }

  private boolean maySpoof(List<String> problems) {
    String name = "workloadSourceSpoofing";
    Object value = knob(name);
    String word = value == null ? "disabled" : value.toString().toLowerCase(Locale.ROOT);
    if (!word.equals("any") && !word.equals("disabled")) {
      problems.add(name + ": " + value + " is none of Disabled and Any; taken for Disabled");
    }
    return word.equals("any");
  }

  private ToHostAction toHost(List<String> problems) {
    String name = "defaultEndpointToHostAction";
    Object value = knob(name);
    if (value == null) {
      return ToHostAction.ACCEPT;
    }
    return switch (value.toString().toLowerCase(Locale.ROOT)) {
      case "accept", "return" -> ToHostAction.ACCEPT;
      case "drop" -> ToHostAction.DROP;
      default -> {
        problems.add(name + ": " + value + " is none of Drop, Accept and Return; taken for Drop");
        yield ToHostAction.DROP;
      }
    };
  }

  /// A list of objects, or Felix' own notation: `tcp:22, udp:10.0.0.0/8:53`, `none`.
  private List<Failsafe> failsafes(String name, List<Failsafe> ifAbsent, List<String> problems) {
    Object value = knob(name);
    if (value == null) {
      return ifAbsent;
    }
    List<?> entries =
        value instanceof List<?> list
            ? list
            : Arrays.stream(value.toString().split(","))
                .map(String::strip)
                .filter(entry -> !entry.isEmpty() && !entry.equalsIgnoreCase("none"))
                .toList();
    List<Failsafe> failsafes = new ArrayList<>();
    for (Object entry : entries) {
      try {
        failsafes.add(
            entry instanceof Map<?, ?> fields
                ? failsafe(fields.get("protocol"), fields.get("port"), fields.get("net"))
                : failsafe(String.valueOf(entry)));
      } catch (IllegalArgumentException wrong) {
        problems.add(name + ": " + entry + " is left out: " + wrong.getMessage());
      }
    }
    return List.copyOf(failsafes);
  }

  private static Failsafe failsafe(String entry) {
    int first = entry.indexOf(':');
    int last = entry.lastIndexOf(':');
    if (first < 0) {
      return failsafe(null, entry, null);
    }
    return failsafe(
        entry.substring(0, first),
        entry.substring(last + 1),
        first == last ? null : entry.substring(first + 1, last).replaceAll("[\\[\\]]", ""));
  }

  private static Failsafe failsafe(
      @Nullable Object protocol, @Nullable Object port, @Nullable Object net) {
    String word = protocol == null ? "" : protocol.toString().toLowerCase(Locale.ROOT);
    Integer number = word.isEmpty() ? Integer.valueOf(TCP) : PROTOCOLS.get(word);
    if (number == null) {
      throw new IllegalArgumentException("protocol " + protocol + " is none of TCP, UDP and SCTP");
    }
    String remote = net == null ? "" : net.toString();
    return new Failsafe(number, port(port), remote.isEmpty() ? null : net(remote));
  }

  private static int port(@Nullable Object port) {
    double value =
        port instanceof Number number
            ? number.doubleValue()
            : Integer.parseInt(String.valueOf(port));
    if (value % 1 != 0 || value < 0 || value > Port.MAX) {
      throw new IllegalArgumentException("port " + port + " is not in 0.." + Port.MAX);
    }
    return (int) value;
  }

  private static Prefix net(String text) {
    return text.contains("/") ? Prefix.parseLenient(text) : IpAddress.parse(text).toHostPrefix();
  }
}
