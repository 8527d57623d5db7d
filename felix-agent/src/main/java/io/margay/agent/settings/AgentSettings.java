package io.margay.agent.settings;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.margay.agent.firewall.PacketLog;
import io.margay.cni.SelfReclaim;
import io.margay.datastore.DatastoreSettings;
import io.margay.ipam.AddressReserve;
import io.margay.ipam.AssignRequest;
import io.margay.ipam.care.GarbageCollector;
import io.margay.linux.route.NextHopLayout;
import io.margay.model.net.Asn;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Ipv6Address;
import io.margay.model.net.RouterId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.slf4j.ILoggerFactory;
import org.slf4j.LoggerFactory;

/// Everything an operator may say about one agent. Precedence: environment, file, default; what is
/// left open here is taken from the node's resources in the datastore.
///
/// @param nodeName the node's name in resources and IPAM
/// @param datastore how to reach etcd
/// @param runDir sockets, pid lock and the queue of deletions; a tmpfs
/// @param stateDir journal and snapshot; survives a reboot
/// @param http where the admin rim listens; empty = nowhere
/// @param bgp the speaker's own settings
/// @param log the least level that is logged
/// @param gc whether addresses that nobody uses are freed, or only told of
/// @param reclaimAfter how long a pod's wire has to be gone before it is released without a DEL
/// @param reserve addresses of each pool kept for pods that start without the datastore; 0 for none
/// @param policyChangeMode what becomes of open connections that policy comes to deny
/// @param packetLog where rules with action Log write, and which verdicts are told
/// @param nextHopGroups how learned routes with several next hops are written
/// @param birth how the node comes into the datastore
/// @param dockerSocket where Docker Engine finds us as a plugin, whose name is the file's without
///   `.sock`; empty = not at all
public record AgentSettings(
    String nodeName,
    DatastoreSettings datastore,
    Path runDir,
    Path stateDir,
    Optional<HttpAddress> http,
    Bgp bgp,
    LogLevel log,
    GarbageCollector.Mode gc,
    Duration reclaimAfter,
    int reserve,
    PolicyChangeMode policyChangeMode,
    PacketLog packetLog,
    NextHopLayout nextHopGroups,
    Birth birth,
    Optional<Path> dockerSocket) {

  public static final Path DEFAULT_RUN_DIR = Path.of("/run/margay");
  public static final Path DEFAULT_STATE_DIR = Path.of("/var/lib/margay");
  public static final HttpAddress DEFAULT_HTTP = new HttpAddress("127.0.0.1", 9199);

  /// Where Docker Engine looks for a plugin called `margay`.
  public static final Path USUAL_DOCKER_SOCKET = Path.of("/run/docker/plugins/margay.sock");

  private static final int MAX_SUN_PATH = 107;

  private static final Pattern NODE_NAME = Pattern.compile("[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?");

  /// The speaker's own settings; empty ones come from the Node and BGPConfiguration resources.
  ///
  /// @param ipv4 the node's address if it is given here, not detected: next hop of its IPv4
  ///   prefixes
  /// @param ipv6 the same of IPv6
  /// @param asNumber the node's AS
  /// @param routerId default: the IPv4 address, or of a node with an IPv6 one only that of its name
  /// @param gracefulRestart whether peers are asked to keep our routes while we restart (RFC 4724)
  /// @param passwordDir where secrets with passwords of peers are mounted, each a directory
  public record Bgp(
      Optional<Ipv4Address> ipv4,
      Optional<Ipv6Address> ipv6,
      Optional<Asn> asNumber,
      Optional<RouterId> routerId,
      boolean gracefulRestart,
      Optional<Path> passwordDir) {

    /// Without secrets on this machine.
    public Bgp(
        Optional<Ipv4Address> ipv4,
        Optional<Ipv6Address> ipv6,
        Optional<Asn> asNumber,
        Optional<RouterId> routerId,
        boolean gracefulRestart) {
      this(ipv4, ipv6, asNumber, routerId, gracefulRestart, Optional.empty());
    }
  }

  /// How the node comes into the datastore.
  ///
  /// @param ipv4 where its IPv4 address is from
  /// @param ipv6 where its IPv6 address is from
  /// @param firstPool what a cluster without pools is given
  public record Birth(AddressChoice ipv4, AddressChoice ipv6, FirstPool firstPool) {

    public AddressChoice address(IpFamily family) {
      return switch (family) {
        case IPV4 -> ipv4;
        case IPV6 -> ipv6;
      };
    }
  }

  /// A TCP address to listen on.
  public record HttpAddress(String host, int port) {

    /// Parses `host:port`.
    public static HttpAddress parse(String text) {
      int colon = text.lastIndexOf(':');
      if (colon < 1) {
        throw new IllegalArgumentException("no port in " + text);
      }
      int port = Integer.parseInt(text.substring(colon + 1));
      if (port < 1 || port > 65535) {
        throw new IllegalArgumentException("port " + port + " is not in 1..65535");
      }
      return new HttpAddress(text.substring(0, colon), port);
    }

    @Override
    public String toString() {
      return host + ":" + port;
    }
  }

  /// The least level that is logged.
  public enum LogLevel {
    ERROR,
    WARN,
    INFO,
    DEBUG,
    TRACE;

    /// Puts it in force, also for loggers that are there already: reading settings may have made
    /// some.
    public void apply() {
      ILoggerFactory loggers = LoggerFactory.getILoggerFactory();
      if (loggers instanceof LoggerContext logback) {
        logback.getLogger("io.margay").setLevel(Level.valueOf(name()));
      }
    }
  }

  /// Reads a settings file.
  ///
  /// @param environment usually `System.getenv()`
  /// @throws SettingsException one line: file, key path, expectation
  public static AgentSettings read(Path file, Map<String, String> environment)
      throws SettingsException {
    String text;
    try {
      text = Files.readString(file);
    } catch (NoSuchFileException missing) {
      throw new SettingsException(file + ": no such file; see dist/etc/agent.yaml for an example");
    } catch (IOException unreadable) {
      throw new SettingsException(file + ": can't be read: " + unreadable.getMessage());
    }
    return parse(file.toString(), text, environment);
  }

  static AgentSettings parse(String source, String text, Map<String, String> environment)
      throws SettingsException {
    JsonNode document;
    try {
      document =
          YAMLMapper.builder(
                  YAMLFactory.builder()
                      .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                      .build())
              .build()
              .readTree(text);
    } catch (JacksonException malformed) {
      throw new SettingsException(
          source
              + ":"
              + (malformed.getLocation() == null ? 0 : malformed.getLocation().getLineNr())
              + ": not YAML: "
              + firstLine(malformed.getOriginalMessage()));
    }
    SettingsNode root = new SettingsNode(source, "", document, environment);
    AgentSettings settings = from(source, root);
    root.refuseUnknownKeys();
    return settings;
  }

  private static AgentSettings from(String source, SettingsNode root) throws SettingsException {
    Optional<String> nodeName =
        root.scalar("nodeName", "a DNS name in lower case", matching(NODE_NAME));
    SettingsNode store = root.mapping("datastore");
    List<String> endpoints =
        store.list("endpoints", "a URL like http://10.0.0.1:2379", Function.identity());
    SettingsNode tls = store.mapping("tls");
    Optional<Path> ca = tls.scalar("ca", "a path", Path::of);
    Optional<Path> certificate = tls.scalar("cert", "a path", Path::of);
    Optional<Path> key = tls.scalar("key", "a path", Path::of);
    Optional<String> user = store.scalar("user", "a user name", Function.identity());
    Optional<String> password = store.scalar("password", "a password", Function.identity());
    Path runDir =
        root.scalar("runDir", "an absolute path", AgentSettings::absolute).orElse(DEFAULT_RUN_DIR);
    Path stateDir =
        root.scalar("stateDir", "an absolute path", AgentSettings::absolute)
            .orElse(DEFAULT_STATE_DIR);
    Optional<Optional<HttpAddress>> http =
        root.scalar(
            "http",
            "HOST:PORT or none",
            text -> text.equals("none") ? Optional.empty() : Optional.of(HttpAddress.parse(text)));
    SettingsNode bgp = root.mapping("bgp");
    AddressChoice ipv4 = address(bgp, "ipv4", IpFamily.IPV4);
    AddressChoice ipv6 = address(bgp, "ipv6", IpFamily.IPV6);
    Bgp speaker =
        new Bgp(
            ipv4 instanceof AddressChoice.Given(Ipv4Address given)
                ? Optional.of(given)
                : Optional.empty(),
            ipv6 instanceof AddressChoice.Given(Ipv6Address given)
                ? Optional.of(given)
                : Optional.empty(),
            bgp.scalar("asNumber", "an AS number, 1 to 4294967294", AgentSettings::usableAsn),
            bgp.scalar(
                "routerId",
                "a router id like 10.0.0.1, or hash",
                text -> routerId(text, nodeName.orElse(""))),
            bgp.scalar("gracefulRestart", "true or false", AgentSettings::truth).orElse(true),
            bgp.scalar("passwordDir", "an absolute path", AgentSettings::absolute));
    LogLevel log =
        root.scalar(
                "log",
                "one of error, warn, info, debug, trace",
                text -> LogLevel.valueOf(text.toUpperCase(Locale.ROOT)))
            .orElse(LogLevel.INFO);
    GarbageCollector.Mode gc =
        root.scalar("gc", "one of off, dry-run, on", AgentSettings::gcMode)
            .orElse(GarbageCollector.Mode.DRY_RUN);
    Duration reclaimAfter =
        root.scalar("reclaimAfterSeconds", "a number of seconds from 1 on", AgentSettings::seconds)
            .orElse(SelfReclaim.DEFAULT_GRACE);
    int reserve =
        root.scalar(
                "reserve",
                "a number of addresses from 0 to " + AssignRequest.MAX_ADDRESSES,
                AgentSettings::reserve)
            .orElse(AddressReserve.DEFAULT_SIZE);
    PolicyChangeMode policyChangeMode =
        root.scalar("policyChangeMode", "one of Reevaluate, Keep", AgentSettings::policyChangeMode)
            .orElse(PolicyChangeMode.REEVALUATE);
    SettingsNode logging = root.mapping("packetLog");
    PacketLog packetLog =
        new PacketLog(
            logging
                .scalar(
                    "rules",
                    "one of kernel, nflog",
                    text -> PacketLog.Target.valueOf(text.toUpperCase(Locale.ROOT)))
                .orElse(PacketLog.DEFAULT.rules()),
            logging
                .scalar(
                    "verdicts",
                    "one of none, denied, all",
                    text -> PacketLog.Verdicts.valueOf(text.toUpperCase(Locale.ROOT)))
                .orElse(PacketLog.DEFAULT.verdicts()),
            PacketLog.DEFAULT.prefix(),
            PacketLog.DEFAULT.limit());
    NextHopLayout nextHopGroups =
        root.mapping("routes")
            .scalar(
                "nextHopGroups",
                "one of none, multipath, resilient",
                text -> NextHopLayout.valueOf(text.toUpperCase(Locale.ROOT)))
            .orElse(NextHopLayout.NONE);
    FirstPool firstPool = FirstPool.read(root.mapping("firstPool"));
    Optional<Path> dockerSocket =
        root.mapping("docker")
            .scalar(
                "socket",
                "an absolute path of a file NAME.sock, like " + USUAL_DOCKER_SOCKET,
                AgentSettings::dockerSocket);
    if (nodeName.isEmpty()) {
      throw root.missing("nodeName", "the node's name");
    }
    if (endpoints.isEmpty()) {
      throw store.missing("endpoints", "a list of etcd URLs");
    }
    return new AgentSettings(
        nodeName.get(),
        datastore(source, endpoints, ca, certificate, key, user, password),
        runDir,
        stateDir,
        http.orElse(Optional.of(DEFAULT_HTTP)),
        speaker,
        log,
        gc,
        reclaimAfter,
        reserve,
        policyChangeMode,
        packetLog,
        nextHopGroups,
        new Birth(ipv4, ipv6, firstPool),
        dockerSocket);
  }

  /// These with what can change while an agent runs of others ([SettingKey]).
  public AgentSettings withLiveOf(AgentSettings others) {
    return new AgentSettings(
        nodeName,
        datastore,
        runDir,
        stateDir,
        http,
        bgp,
        others.log,
        others.gc,
        others.reclaimAfter,
        reserve,
        policyChangeMode,
        others.packetLog,
        nextHopGroups,
        birth,
        dockerSocket);
  }

  private static AddressChoice address(SettingsNode bgp, String key, IpFamily family)
      throws SettingsException {
    return bgp.scalar(
            key, AddressChoice.expected(family), text -> AddressChoice.parse(text, family))
        .orElseGet(AddressChoice.Unsaid::new);
  }

  private static PolicyChangeMode policyChangeMode(String text) {
    return switch (text) {
      case "Reevaluate" -> PolicyChangeMode.REEVALUATE;
      case "Keep" -> PolicyChangeMode.KEEP;
      default -> throw new IllegalArgumentException(text);
    };
  }

  private static int reserve(String text) {
    int size = Integer.parseInt(text);
    if (size < 0 || size > AssignRequest.MAX_ADDRESSES) {
      throw new IllegalArgumentException(text);
    }
    return size;
  }

  private static DatastoreSettings datastore(
      String source,
      List<String> endpoints,
      Optional<Path> ca,
      Optional<Path> certificate,
      Optional<Path> key,
      Optional<String> user,
      Optional<String> password)
      throws SettingsException {
    if (user.isPresent() != password.isPresent()) {
      throw new SettingsException(source + ": datastore: expected user and password together");
    }
    if (ca.isEmpty() && (certificate.isPresent() || key.isPresent())) {
      throw new SettingsException(source + ": datastore.tls.ca: missing; expected a path");
    }
    try {
      return new DatastoreSettings(
          endpoints,
          user.map(name -> new DatastoreSettings.User(name, password.orElseThrow())),
          ca.map(file -> new DatastoreSettings.Tls(file, certificate, key)));
    } catch (IllegalArgumentException refused) {
      throw new SettingsException(source + ": " + refused.getMessage());
    }
  }

  private static Function<String, String> matching(Pattern pattern) {
    return text -> {
      if (!pattern.matcher(text).matches()) {
        throw new IllegalArgumentException(text);
      }
      return text;
    };
  }

  private static Path absolute(String text) {
    Path path = Path.of(text);
    if (!path.isAbsolute()) {
      throw new IllegalArgumentException(text + " is not absolute");
    }
    return path;
  }

  /// Docker looks for files of this ending alone; the length is a socket address's (`sun_path`).
  private static Path dockerSocket(String text) {
    Path path = absolute(text);
    String name = String.valueOf(path.getFileName());
    if (!name.endsWith(".sock")
        || name.length() == ".sock".length()
        || text.length() > MAX_SUN_PATH) {
      throw new IllegalArgumentException(text);
    }
    return path;
  }

  private static Asn usableAsn(String text) {
    Asn asn = Asn.parse(text);
    if (asn.value() == 0 || asn.value() == -1) {
      throw new IllegalArgumentException("reserved by RFC 7607 and RFC 7300");
    }
    return asn;
  }

  private static RouterId routerId(String text, String nodeName) {
    return text.equals("hash") ? HashedRouterId.of(nodeName) : RouterId.parse(text);
  }

  private static GarbageCollector.Mode gcMode(String text) {
    // To YAML, off and on are truth values.
    return switch (text) {
      case "off", "false" -> GarbageCollector.Mode.OFF;
      case "dry-run" -> GarbageCollector.Mode.DRY_RUN;
      case "on", "true" -> GarbageCollector.Mode.ON;
      default -> throw new IllegalArgumentException(text);
    };
  }

  private static Duration seconds(String text) {
    int seconds = Integer.parseInt(text);
    if (seconds < 1) {
      throw new IllegalArgumentException(text);
    }
    return Duration.ofSeconds(seconds);
  }

  static boolean truth(String text) {
    return switch (text) {
      case "true" -> true;
      case "false" -> false;
      default -> throw new IllegalArgumentException(text);
    };
  }

  private static String firstLine(String text) {
    int end = text.indexOf('\n');
    return end < 0 ? text : text.substring(0, end);
  }
}
