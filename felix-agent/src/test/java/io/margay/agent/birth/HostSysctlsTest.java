package io.margay.agent.birth;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.netns.Sysctl;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostSysctlsTest {

  @TempDir private Path state;

  private final FakeKernel kernel =
      new FakeKernel(
          Map.of(
              "net.ipv4.ip_forward", "0",
              "net.ipv6.conf.all.forwarding", "1",
              "net.ipv4.fib_multipath_hash_policy", "0",
              "net.ipv4.fib_multipath_use_neigh", "0",
              "net.ipv4.conf.all.rp_filter", "0",
              "net.ipv4.conf.eth0.rp_filter", "1"));

  @Test
  void what_is_changed_is_recorded_once_and_restored() throws Exception {
    Map<String, String> before = new TreeMap<>(kernel.settings);
    sysctls("b1").apply();
    assertThat(kernel.settings)
        .containsEntry("net.ipv4.ip_forward", "1")
        .containsEntry("net.ipv4.fib_multipath_use_neigh", "1")
        .containsEntry("net.ipv4.conf.all.rp_filter", "2")
        .containsEntry("net.ipv4.conf.eth0.rp_filter", "1");
    assertThat(kernel.written).hasSize(4);
    sysctls("b1").apply();
    assertThat(kernel.written).as("a second start finds nothing to do").hasSize(4);

    kernel.settings.put("net.ipv4.ip_forward", "0");
    sysctls("b1").apply();
    assertThat(kernel.settings).containsEntry("net.ipv4.ip_forward", "1");
    sysctls("b1").restore();
    assertThat(kernel.settings).isEqualTo(before);
    assertThat(state.resolve("sysctls.json")).doesNotExist();
    assertThat(sysctls("b1").restorable()).isEmpty();
  }

  @Test
  void a_disk_that_takes_no_record_does_not_keep_the_node_from_forwarding() throws Exception {
    Files.createDirectory(state.resolve(".sysctls.json.tmp"));
    sysctls("b1").apply();
    assertThat(kernel.settings).containsEntry("net.ipv4.ip_forward", "1");
  }

  @Test
  void a_kernel_without_ipv6_is_made_a_router_of_ipv4() throws Exception {
    kernel.settings.keySet().removeIf(setting -> setting.startsWith("net.ipv6."));
    sysctls("b1").apply();
    assertThat(kernel.settings).containsEntry("net.ipv4.ip_forward", "1");
    assertThat(kernel.written).noneMatch(setting -> setting.startsWith("net.ipv6."));
  }

  @Test
  void what_somebody_changed_since_is_left_alone() throws Exception {
    sysctls("b1").apply();
    kernel.settings.put("net.ipv4.conf.all.rp_filter", "0");
    sysctls("b1").restore();
    assertThat(kernel.settings).containsEntry("net.ipv4.conf.all.rp_filter", "0");
    assertThat(kernel.settings).containsEntry("net.ipv4.ip_forward", "0");
  }

  @Test
  void what_another_boot_had_is_not_restored() throws Exception {
    sysctls("b1").apply();
    assertThat(sysctls("b2").restorable()).isEmpty();
    sysctls("b2").restore();
    assertThat(kernel.settings).containsEntry("net.ipv4.ip_forward", "1");
  }

  @Test
  void a_loose_check_or_none_stays_as_it_is() throws Exception {
    kernel.settings.put("net.ipv4.conf.eth0.rp_filter", "2");
    sysctls("b1").apply();
    assertThat(kernel.settings).containsEntry("net.ipv4.conf.all.rp_filter", "0");
    kernel.settings.put("net.ipv4.conf.all.rp_filter", "1");
    sysctls("b1").apply();
    assertThat(kernel.settings).containsEntry("net.ipv4.conf.all.rp_filter", "2");
  }

  @Test
  void a_host_that_lives_by_router_advertisements_goes_on_hearing_them() throws Exception {
    kernel.settings.put("net.ipv6.conf.all.forwarding", "0");
    kernel.settings.put("net.ipv6.conf.eth0.accept_ra", "1");
    kernel.settings.put("net.ipv6.conf.eth1.accept_ra", "0");
    sysctls("b1").apply();
    assertThat(kernel.settings)
        .containsEntry("net.ipv6.conf.all.forwarding", "1")
        .containsEntry("net.ipv6.conf.eth0.accept_ra", "2")
        .containsEntry("net.ipv6.conf.eth1.accept_ra", "0");
    // Before, or the kernel has forgotten its default route by then.
    assertThat(kernel.written)
        .containsSubsequence("net.ipv6.conf.eth0.accept_ra", "net.ipv6.conf.all.forwarding");
    sysctls("b1").restore();
    assertThat(kernel.settings).containsEntry("net.ipv6.conf.eth0.accept_ra", "1");
  }

  @Test
  void a_router_that_ignores_advertisements_goes_on_ignoring_them() throws Exception {
    kernel.settings.put("net.ipv6.conf.eth0.accept_ra", "1");
    sysctls("b1").apply();
    assertThat(kernel.settings).containsEntry("net.ipv6.conf.eth0.accept_ra", "1");
  }

  @Test
  void a_damaged_record_does_not_keep_the_node_from_forwarding() throws Exception {
    Files.writeString(state.resolve("sysctls.json"), "{\"bootId");
    sysctls("b1").apply();
    assertThat(kernel.settings).containsEntry("net.ipv4.ip_forward", "1");
    assertThat(sysctls("b1").restorable()).isNotEmpty();
  }

  private HostSysctls sysctls(String bootId) {
    return new HostSysctls(kernel, state, bootId);
  }

  private static final class FakeKernel implements HostSysctls.Kernel {
    private final Map<String, String> settings;
    private final List<String> written = new ArrayList<>();

    FakeKernel(Map<String, String> settings) {
      this.settings = new TreeMap<>(settings);
    }

    @Override
    public Optional<String> read(Sysctl setting) {
      return Optional.ofNullable(settings.get(setting.toString()));
    }

    @Override
    public void write(Sysctl setting, String value) {
      assertThat(settings).containsKey(setting.toString());
      settings.put(setting.toString(), value);
      written.add(setting.toString());
    }

    @Override
    public List<String> links() {
      return List.of("eth0", "eth1");
    }
  }
}
