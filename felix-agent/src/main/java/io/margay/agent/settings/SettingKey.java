package io.margay.agent.settings;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;

/// A key of the settings file, and whether what it says can change while the agent runs. All others
/// are what the agent is built from: they apply at the next start.
public enum SettingKey {
  NODE_NAME("nodeName", AgentSettings::nodeName),
  ENDPOINTS("datastore.endpoints", settings -> settings.datastore().endpoints()),
  TLS("datastore.tls", settings -> settings.datastore().tls()),
  USER("datastore.user", settings -> settings.datastore().user().map(user -> user.name())),
  PASSWORD(
      "datastore.password", settings -> settings.datastore().user().map(user -> user.password())) {
    @Override
    String shown(AgentSettings settings) {
      return "(secret)";
    }
  },
  RUN_DIR("runDir", AgentSettings::runDir),
  STATE_DIR("stateDir", AgentSettings::stateDir),
  HTTP("http", AgentSettings::http),
  IPV4("bgp.ipv4", settings -> settings.birth().ipv4().written()),
  IPV6("bgp.ipv6", settings -> settings.birth().ipv6().written()),
  AS_NUMBER("bgp.asNumber", settings -> settings.bgp().asNumber()),
  ROUTER_ID("bgp.routerId", settings -> settings.bgp().routerId()),
  GRACEFUL_RESTART("bgp.gracefulRestart", settings -> settings.bgp().gracefulRestart()),
  PASSWORD_DIR("bgp.passwordDir", settings -> settings.bgp().passwordDir()),
  LOG("log", AgentSettings::log, Effect.LIVE),
  GC("gc", AgentSettings::gc, Effect.LIVE),
  RECLAIM_AFTER(
      "reclaimAfterSeconds", settings -> settings.reclaimAfter().toSeconds(), Effect.LIVE),
  RESERVE("reserve", AgentSettings::reserve),
  POLICY_CHANGE_MODE("policyChangeMode", AgentSettings::policyChangeMode),
  PACKET_LOG_RULES("packetLog.rules", settings -> settings.packetLog().rules(), Effect.LIVE),
  PACKET_LOG_VERDICTS(
      "packetLog.verdicts", settings -> settings.packetLog().verdicts(), Effect.LIVE),
  NEXT_HOP_GROUPS("routes.nextHopGroups", AgentSettings::nextHopGroups),
  DOCKER_SOCKET("docker.socket", AgentSettings::dockerSocket),
  FIRST_POOL("firstPool", settings -> settings.birth().firstPool());

  private enum Effect {
    LIVE,
    AT_START
  }

  private final String key;
  private final Function<AgentSettings, Object> value;
  private final Effect effect;

  SettingKey(String key, Function<AgentSettings, Object> value) {
    this(key, value, Effect.AT_START);
  }

  SettingKey(String key, Function<AgentSettings, Object> value, Effect effect) {
    this.key = key;
    this.value = value;
    this.effect = effect;
  }

  /// What differs between two settings.
  ///
  /// @param key as the file has it
  /// @param from of the settings before, for people
  /// @param to of those after
  /// @param isLive whether it can change while the agent runs
  public record Difference(String key, String from, String to, boolean isLive) {}

  /// In the order of the keys.
  public static List<Difference> differences(AgentSettings before, AgentSettings after) {
    List<Difference> all = new ArrayList<>();
    for (SettingKey each : values()) {
      if (!each.value.apply(before).equals(each.value.apply(after))) {
        all.add(new Difference(each.key, each.shown(before), each.shown(after), each.isLive()));
      }
    }
    return List.copyOf(all);
  }

  boolean isLive() {
    return effect == Effect.LIVE;
  }

  /// The value for people.
  String shown(AgentSettings settings) {
    Object held = value.apply(settings);
    if (held instanceof Optional<?> perhaps) {
      return perhaps.map(Object::toString).orElse("(not set)");
    }
    return held instanceof Enum<?> word
        ? word.name().toLowerCase(Locale.ROOT).replace('_', '-')
        : held.toString();
  }
}
