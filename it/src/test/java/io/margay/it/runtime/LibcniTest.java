package io.margay.it.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.it.Rack;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// libcni itself calls the plugin, alone and with Debian's plugins before and behind it.
@Tag("runtime")
class LibcniTest {

  private static final String POD = "pod";

  @RegisterExtension static final Machine NODE = new Machine();

  private static @Nullable LibcniDriver driver;

  @BeforeAll
  static void build() throws Exception {
    driver = LibcniDriver.build(NODE);
  }

  @BeforeEach
  void pod() throws Exception {
    NODE.forgetCalls();
    NODE.out("ip", "netns", "add", POD);
  }

  @AfterEach
  void noPod() {
    NODE.out("ip", "netns", "del", POD);
  }

  @ParameterizedTest
  @ValueSource(strings = {"0.3.1", "0.4.0", "1.0.0"})
  void every_version_that_libcni_knows_is_added_checked_and_deleted(String version)
      throws Exception {
    ObjectNode conflist = NODE.conflist();
    conflist.put("cniVersion", version);
    LibcniDriver.Attachment attachment =
        driver().attach(conflist.toString(), "libcni-" + version, POD);
    attachment.validate();
    JsonNode result = attachment.add();
    assertThat(result.path("cniVersion").asText()).isEqualTo(version);
    assertThat(result.path("ips")).hasSize(2);
    assertThat(driver().remembered())
        .containsExactly("k8s-pod-network-libcni-" + version + "-eth0");
    if (version.equals("0.3.1")) {
      Rack.Run refused = attachment.attempt("check");
      assertThat(refused.err()).contains("does not support the CHECK command");
    } else {
      attachment.check();
      NODE.out("ip", "-n", POD, "route", "del", "default");
      Rack.Run broken = attachment.attempt("check");
      assertThat(broken.exitCode()).isNotZero();
      assertThat(broken.err()).contains("lacks route 0.0.0.0/0");
    }
    attachment.del();
    awaitNoInterface();
    attachment.del();
    assertThat(driver().remembered()).isEmpty();
  }

  @Test
  void plugins_behind_ours_set_up_the_pod_and_check_passes() throws Exception {
    ObjectNode conflist = NODE.conflist();
    ArrayNode plugins = (ArrayNode) conflist.path("plugins");
    plugins
        .addObject()
        .put("type", "tuning")
        .putObject("sysctl")
        .put("net.ipv4.conf.all.log_martians", "1");
    ObjectNode portmap = plugins.addObject().put("type", "portmap");
    portmap.putObject("capabilities").put("portMappings", true);
    LibcniDriver.Attachment attachment = driver().attach(conflist.toString(), "behind", POD);
    JsonNode result = attachment.add();
    assertThat(
            NODE.out(
                "nsenter",
                "--net=/run/netns/" + POD,
                "sysctl",
                "-n",
                "net.ipv4.conf.all.log_martians"))
        .isEqualToIgnoringWhitespace("1");
    attachment.check();
    for (JsonNode ip : result.path("ips")) {
      NODE.out("ping", "-c", "1", "-W", "3", address(ip));
    }
    attachment.del();
    awaitNoInterface();
  }

  @Test
  void our_addresses_serve_debians_ptp() throws Exception {
    ObjectNode ours = (ObjectNode) NODE.conflist().path("plugins").get(0);
    ObjectNode conflist = RuntimeLab.JSON.createObjectNode();
    conflist.put("cniVersion", "1.0.0").put("name", "debians");
    ObjectNode plugin = conflist.putArray("plugins").addObject();
    plugin.put("type", "ptp").put("margayRunDir", ours.path("margayRunDir").asText());
    plugin.putObject("ipam").put("type", "margay-ipam").put("assign_ipv4", "true");
    LibcniDriver.Attachment attachment =
        driver().attach(conflist.toString(), "ptp", NODE.sharedNetns());
    String address = address(attachment.add().path("ips").get(0));
    assertThat(address).startsWith("10.65.");
    attachment.check();
    NODE.out("ping", "-c", "1", "-W", "3", address);
    attachment.del();
  }

  @Test
  void debians_addresses_serve_our_wire() throws Exception {
    ObjectNode conflist = NODE.conflist();
    ObjectNode ipam = ((ObjectNode) conflist.path("plugins").get(0)).putObject("ipam");
    ipam.put("type", "host-local")
        .put("dataDir", NODE.directory().resolve("host-local").toString());
    ipam.putArray("ranges").addArray().addObject().put("subnet", "10.99.0.0/24");
    LibcniDriver.Attachment attachment = driver().attach(conflist.toString(), "foreign", POD);
    JsonNode result = attachment.add();
    String address = address(result.path("ips").get(0));
    assertThat(address).startsWith("10.99.0.");
    attachment.check();
    NODE.out("ping", "-c", "1", "-W", "3", address);
    attachment.del();
    awaitNoInterface();
    Path record = NODE.directory().resolve("host-local/k8s-pod-network").resolve(address);
    // DEL does not wait for another plugin.
    Machine.until("host-local forgets the address", record::toString, () -> !Files.exists(record));
  }

  /// The host end sends to the address ADD set, so a pod that has another one is cut off: what
  /// wants a MAC address of its own asks us (`mac`) and not `tuning`.
  @Test
  void a_mac_that_a_plugin_behind_ours_changes_is_told_by_check() throws Exception {
    ObjectNode conflist = NODE.conflist();
    ((ArrayNode) conflist.path("plugins"))
        .addObject()
        .put("type", "tuning")
        .put("mac", "02:aa:bb:cc:dd:ee");
    LibcniDriver.Attachment attachment = driver().attach(conflist.toString(), "changed", POD);
    attachment.add();
    assertThat(attachment.attempt("check").err()).contains("has another MAC address");
    attachment.del();
    awaitNoInterface();
  }

  /// DEL cuts the pod off and answers; the device goes with those of others, a moment later.
  private static void awaitNoInterface() throws InterruptedException {
    Machine.until("eth0 is gone", LibcniTest::links, () -> !links().contains("eth0"));
  }

  private static String address(JsonNode ip) {
    return ip.path("address").asText().replaceFirst("/.*", "");
  }

  private static String links() {
    return NODE.out("ip", "-n", POD, "-o", "link");
  }

  private static LibcniDriver driver() {
    return Objects.requireNonNull(driver);
  }
}
