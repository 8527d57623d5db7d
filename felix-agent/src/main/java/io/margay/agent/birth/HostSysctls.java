package io.margay.agent.birth;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.margay.linux.Errno;
import io.margay.linux.LinuxException;
import io.margay.linux.netns.Sysctl;
import io.margay.linux.route.Link;
import io.margay.linux.route.Rtnetlink;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The host's network settings that the agent changes, so that the node is a router and spreads
/// flows over the ways it has. What was there before is kept in the state directory until it is
/// restored.
public final class HostSysctls {

  private static final Sysctl FORWARDING_IPV6 = Sysctl.of("ipv6/conf/all/forwarding");

  /// A router, in both families.
  private static final Map<Sysctl, String> NEEDED = new LinkedHashMap<>();

  /// Flows, not packets, over equal ways, by ports as well, and past neighbours that are dead.
  private static final Map<Sysctl, String> MULTIPATH = new LinkedHashMap<>();

  static {
    NEEDED.put(Sysctl.of("ipv4/ip_forward"), "1");
    NEEDED.put(FORWARDING_IPV6, "1");
    MULTIPATH.put(Sysctl.of("ipv4/fib_multipath_hash_policy"), "1");
    MULTIPATH.put(Sysctl.of("ipv6/fib_multipath_hash_policy"), "1");
    MULTIPATH.put(Sysctl.of("ipv4/fib_multipath_use_neigh"), "1");
  }

  private static final Sysctl REVERSE_PATH = Sysctl.of("ipv4/conf/all/rp_filter");
  private static final String STRICT = "1";
  private static final String LOOSE = "2";
  private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
  private static final Logger LOG = LoggerFactory.getLogger(HostSysctls.class);

  /// The kernel's settings of one network namespace: a port, for tests.
  interface Kernel {
    /// Empty when this kernel has no such setting.
    Optional<String> read(Sysctl setting) throws LinuxException;

    void write(Sysctl setting, String value) throws LinuxException;

    /// Names of the host's links.
    List<String> links() throws LinuxException;
  }

  private final Kernel kernel;
  private final Path stateDir;
  private final String bootId;

  HostSysctls(Kernel kernel, Path stateDir, String bootId) {
    this.kernel = kernel;
    this.stateDir = stateDir;
    this.bootId = bootId;
  }

  /// Of the calling thread's namespace.
  public static HostSysctls of(Path stateDir) throws IOException {
    return new HostSysctls(new RealKernel(), stateDir, Files.readString(BOOT_ID).strip());
  }

  /// What the agent sets, and what `doctor` looks for.
  public static Map<Sysctl, String> wanted() {
    Map<Sysctl, String> all = new LinkedHashMap<>(NEEDED);
    all.putAll(MULTIPATH);
    return all;
  }

  /// Whether pods are cut off while it is not as wanted; others only cost balance.
  public static boolean isNeeded(Sysctl setting) {
    return NEEDED.containsKey(setting);
  }

  /// Whether a kernel may be without it: an older one, or one without IPv6 (`ipv6.disable=1`), on
  /// which there is nothing to forward.
  public static boolean mayBeAbsent(Sysctl setting) {
    return !isNeeded(setting) || setting.equals(FORWARDING_IPV6);
  }

  /// Sets what is not as wanted, after it has recorded what it was.
  ///
  /// @throws IOException when a setting that is needed can't be made, or the record not be read; a
  ///   damaged record is begun anew
  public void apply() throws IOException {
    Map<Sysctl, String> changes = new LinkedHashMap<>();
    if (!kernel.read(FORWARDING_IPV6).orElse("1").equals("1")) {
      keepAdvertisements(changes);
    }
    for (Map.Entry<Sysctl, String> entry : wanted().entrySet()) {
      Optional<String> now = kernel.read(entry.getKey());
      if (now.isEmpty() && mayBeAbsent(entry.getKey())) {
        LOG.atInfo().addKeyValue("setting", entry.getKey()).log("this kernel has no such setting");
      } else if (!now.orElse("").equals(entry.getValue())) {
        changes.put(entry.getKey(), entry.getValue());
      }
    }
    if (isStrict()) {
      // Of all and the link's own the greater counts: 2 makes every link's check loose.
      changes.put(REVERSE_PATH, LOOSE);
    }
    if (changes.isEmpty()) {
      return;
    }
    SysctlRecord record = recorded();
    for (Map.Entry<Sysctl, String> change : changes.entrySet()) {
      record =
          record.with(change.getKey(), kernel.read(change.getKey()).orElse(""), change.getValue());
    }
    try {
      record.write(stateDir);
    } catch (IOException refused) {
      LOG.atError()
          .addKeyValue("directory", stateDir)
          .addKeyValue("reason", refused.getMessage())
          .addKeyValue("record", record.changes())
          .log(
              "what settings of the host were can't be written down, so margay node clean will not"
                  + " restore them; they are changed all the same, since pods need them");
    }
    for (Map.Entry<Sysctl, String> change : changes.entrySet()) {
      kernel.write(change.getKey(), change.getValue());
      LOG.atInfo()
          .addKeyValue("setting", change.getKey())
          .addKeyValue("value", change.getValue())
          .log("a setting of the host was changed; margay node clean restores it");
    }
  }

  /// With forwarding the kernel forgets default routes that it has from routers' advertisements,
  /// and ignores further ones, but on links that say 2 (ip-sysctl, `accept_ra`): a host that lives
  /// by them would cut itself off. Links whose advertisements a daemon reads say 0.
  private void keepAdvertisements(Map<Sysctl, String> changes) throws LinuxException {
    for (String link : kernel.links()) {
      Sysctl own = new Sysctl(List.of("ipv6", "conf", link, "accept_ra"));
      if (kernel.read(own).orElse("0").equals("1")) {
        changes.put(own, "2");
      }
    }
  }

  /// A node is not kept down for what `margay node clean` would like to know.
  private SysctlRecord recorded() throws IOException {
    try {
      return SysctlRecord.read(stateDir, bootId);
    } catch (JsonProcessingException damaged) {
      LOG.atWarn()
          .addKeyValue("directory", stateDir)
          .addKeyValue("reason", damaged.getOriginalMessage())
          .log(
              "the record of what settings of the host were is damaged and begun anew; margay node"
                  + " clean will not restore what an earlier start of this boot changed");
      return new SysctlRecord(bootId, List.of());
    }
  }

  private boolean isStrict() throws LinuxException {
    Map<String, String> byLink = new LinkedHashMap<>();
    for (String link : kernel.links()) {
      byLink.put(link, kernel.read(reversePath(link)).orElse(""));
    }
    return strictReversePath(kernel.read(REVERSE_PATH).orElse(""), byLink).isPresent();
  }

  /// What makes some link drop a packet that comes by another way than the best one back: with
  /// several ways that is most of them.
  ///
  /// @param all `net.ipv4.conf.all.rp_filter`; empty when there is none
  /// @param byLink the same of each link
  public static Optional<Sysctl> strictReversePath(String all, Map<String, String> byLink) {
    return switch (all) {
      case STRICT -> Optional.of(REVERSE_PATH);
      case LOOSE -> Optional.empty();
      default ->
          byLink.entrySet().stream()
              .filter(link -> link.getValue().equals(STRICT))
              .map(link -> reversePath(link.getKey()))
              .findFirst();
    };
  }

  private static Sysctl reversePath(String link) {
    return new Sysctl(List.of("ipv4", "conf", link, "rp_filter"));
  }

  /// What [#restore] would set, in its order: settings that still have the value we gave them.
  public Map<Sysctl, String> restorable() throws IOException {
    Map<Sysctl, String> before = new LinkedHashMap<>();
    for (SysctlRecord.Changed changed : SysctlRecord.read(stateDir, bootId).changes()) {
      if (kernel.read(changed.setting()).equals(Optional.of(changed.set()))
          && !changed.before().isEmpty()) {
        before.put(changed.setting(), changed.before());
      }
    }
    return before;
  }

  /// Sets back what was recorded, if nobody has changed it since, and forgets it.
  public void restore() throws IOException {
    for (Map.Entry<Sysctl, String> entry : restorable().entrySet()) {
      kernel.write(entry.getKey(), entry.getValue());
    }
    SysctlRecord.delete(stateDir);
  }

  private static final class RealKernel implements Kernel {

    /// Links that are not the host's: pods' ends have settings of their own.
    private static final Set<String> NOT_OURS = Set.of("lo");

    @Override
    public Optional<String> read(Sysctl setting) throws LinuxException {
      try {
        return Optional.of(setting.read());
      } catch (LinuxException absent) {
        if (absent.is(Errno.ENOENT)) {
          return Optional.empty();
        }
        throw absent;
      }
    }

    @Override
    public void write(Sysctl setting, String value) throws LinuxException {
      setting.write(value);
    }

    @Override
    public List<String> links() throws LinuxException {
      List<String> names = new ArrayList<>();
      try (Rtnetlink netlink = Rtnetlink.open()) {
        for (Link link : netlink.links().list()) {
          String name = link.name().value();
          if (!NOT_OURS.contains(name) && link.alias().isEmpty() && !name.startsWith("cali")) {
            names.add(name);
          }
        }
      }
      return names;
    }
  }
}
