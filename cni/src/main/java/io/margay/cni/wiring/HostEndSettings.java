package io.margay.cni.wiring;

import io.margay.cni.journal.Attachment;
import io.margay.linux.Errno;
import io.margay.linux.LinuxException;
import io.margay.linux.netns.Sysctl;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpFamily;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// The sysctls of a pod's host end, in the calling thread's namespace.
final class HostEndSettings {

  static final int STRICT_REVERSE_PATH = 1;

  /// The host routes for its pods; a pod can't pretend to be another (strict reverse path). Both
  /// are set as the link is made.
  private static final List<Setting> ALWAYS =
      List.of(
          new Setting(IpFamily.IPV4, "forwarding", "1"),
          new Setting(IpFamily.IPV4, "rp_filter", Integer.toString(STRICT_REVERSE_PATH)));

  /// The kernel makes no addresses and believes no router.
  private static final List<Setting> WITH_IPV6 =
      List.of(
          new Setting(IpFamily.IPV6, "addr_gen_mode", "1"),
          new Setting(IpFamily.IPV6, "disable_ipv6", "0"),
          new Setting(IpFamily.IPV6, "accept_ra", "0"),
          new Setting(IpFamily.IPV6, "forwarding", "1"));

  /// Without an IPv6 address the family stays off on the wire.
  private static final Setting NO_IPV6 = new Setting(IpFamily.IPV6, "disable_ipv6", "1");

  /// For those who ask 127.0.0.1; what pods may send there is the firewall's business.
  private static final Setting HOST_PORTS = new Setting(IpFamily.IPV4, "route_localnet", "1");

  private record Setting(IpFamily family, String key, String value) {

    Sysctl of(InterfaceName name) {
      return Sysctl.ofInterface(family, name, key);
    }
  }

  private HostEndSettings() {}

  /// What is to be set once the link is there, beside [#ALWAYS].
  private static List<Setting> further(Attachment attachment, Set<IpFamily> families) {
    List<Setting> settings = new ArrayList<>();
    if (families.contains(IpFamily.IPV6)) {
      settings.addAll(WITH_IPV6);
    } else {
      settings.add(NO_IPV6);
    }
    if (!attachment.hostPorts().isEmpty()) {
      settings.add(HOST_PORTS);
    }
    return settings;
  }

  static void write(Attachment attachment, Set<IpFamily> families) throws LinuxException {
    for (Setting setting : further(attachment, families)) {
      try {
        setting.of(attachment.hostEnd()).write(setting.value());
      } catch (LinuxException failure) {
        if (!isMoot(setting, failure)) {
          throw failure;
        }
      }
    }
  }

  static void verify(Attachment attachment, Set<IpFamily> families, List<String> problems)
      throws LinuxException {
    List<Setting> expected = new ArrayList<>(ALWAYS);
    expected.addAll(further(attachment, families));
    for (Setting setting : expected) {
      try {
        compare(setting.of(attachment.hostEnd()), setting.value(), "", problems);
      } catch (LinuxException failure) {
        if (!isMoot(setting, failure)) {
          throw failure;
        }
      }
    }
  }

  /// What host ports need of a host end that another plugin made; the rest of it is that plugin's.
  static void openHostPorts(InterfaceName hostEnd) throws LinuxException {
    HOST_PORTS.of(hostEnd).write(HOST_PORTS.value());
  }

  /// As the kernel makes links here.
  static void closeHostPorts(InterfaceName hostEnd) throws LinuxException {
    String usual = HOST_PORTS.of(new InterfaceName("default")).read();
    HOST_PORTS.of(hostEnd).write(usual);
  }

  static void verifyHostPorts(InterfaceName hostEnd, List<String> problems) throws LinuxException {
    compare(HOST_PORTS.of(hostEnd), HOST_PORTS.value(), "", problems);
  }

  /// A kernel without IPv6 has nothing to switch off.
  private static boolean isMoot(Setting setting, LinuxException failure) {
    return setting.equals(NO_IPV6) && failure.is(Errno.ENOENT);
  }

  /// @param where it is, for the message; empty on the node
  static void compare(Sysctl sysctl, String expected, String where, List<String> problems)
      throws LinuxException {
    String value = sysctl.read();
    if (!value.equals(expected)) {
      problems.add("sysctl " + sysctl + where + " is " + value + ", not " + expected);
    }
  }
}
