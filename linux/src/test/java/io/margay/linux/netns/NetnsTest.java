package io.margay.linux.netns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.linux.Errno;
import io.margay.linux.LibC;
import io.margay.linux.LinuxException;
import io.margay.linux.route.Link;
import io.margay.linux.route.Rtnetlink;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpFamily;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("netns")
class NetnsTest {

  @Test
  void a_call_runs_inside_and_its_socket_stays_there() throws Exception {
    try (TestNetns one = TestNetns.create();
        TestNetns two = TestNetns.create()) {
      one.ip("link add onlyone type veth peer name other");
      assertThat(Netns.callIn(one.fd(), () -> idOfThread())).isEqualTo(one.netns().id());
      assertThat(one.netns().id()).isNotEqualTo(two.netns().id()).isNotEqualTo(idOfThread());
      try (Rtnetlink inOne = Rtnetlink.inNetns(one.fd());
          Rtnetlink inTwo = Rtnetlink.inNetns(two.fd())) {
        assertThat(names(inOne)).containsExactlyInAnyOrder("lo", "onlyone", "other");
        assertThat(names(inTwo)).containsExactly("lo");
      }
    }
  }

  private static Netns.NetnsId idOfThread() throws LinuxException {
    try (Netns own = Netns.ofThread()) {
      return own.id();
    }
  }

  private static List<String> names(Rtnetlink rt) throws LinuxException {
    return rt.links().list().stream().map(Link::name).map(InterfaceName::value).toList();
  }

  @Test
  void no_thread_stays_behind_in_a_foreign_namespace() throws Exception {
    try (TestNetns pod = TestNetns.create()) {
      for (int i = 0; i < 50; i++) {
        Rtnetlink.inNetns(pod.fd()).close();
      }
      assertThatThrownBy(
              () ->
                  Netns.callIn(
                      pod.fd(),
                      () -> {
                        throw new LinuxException("probe", "on purpose", Errno.EIO);
                      }))
          .isInstanceOf(LinuxException.class)
          .hasMessage("probe on purpose: EIO");
      Thread.startVirtualThread(() -> {}).join();
      awaitAllThreadsAtHome();
    }
  }

  @Test
  void a_visitor_is_back_home_whatever_happened_there() throws Exception {
    try (TestNetns pod = TestNetns.create()) {
      Netns.NetnsId home = idOfThread();
      assertThat(Netns.visit(pod.fd(), () -> idOfThread())).isEqualTo(pod.netns().id());
      assertThat(idOfThread()).isEqualTo(home);
      assertThatThrownBy(
              () ->
                  Netns.visit(
                      pod.fd(),
                      () -> {
                        throw new LinuxException("probe", "on purpose", Errno.EIO);
                      }))
          .hasMessage("probe on purpose: EIO");
      assertThat(idOfThread()).isEqualTo(home);
      int mount = LibC.open("/proc/self/ns/mnt", LibC.O_RDONLY | LibC.O_CLOEXEC);
      try {
        assertThatThrownBy(() -> Netns.visit(mount, () -> 1)).isInstanceOf(LinuxException.class);
      } finally {
        LibC.close(mount);
      }
      awaitAllThreadsAtHome();
    }
  }

  @Test
  void a_virtual_visitor_leaves_its_carrier_at_home() throws Exception {
    try (TestNetns pod = TestNetns.create()) {
      FutureTask<Netns.NetnsId> seen =
          new FutureTask<>(() -> Netns.visit(pod.fd(), () -> idOfThread()));
      Thread.startVirtualThread(seen);
      assertThat(seen.get()).isEqualTo(pod.netns().id());
      awaitAllThreadsAtHome();
    }
  }

  /// A joined thread has ended for Java and is on its way out for the kernel, which lists it until
  /// it is gone. One that lives on in a foreign namespace is named.
  private static void awaitAllThreadsAtHome() throws Exception {
    Instant deadline = Instant.now().plusSeconds(10);
    Set<String> away = threadsAwayFromHome();
    while (!away.isEmpty() && Instant.now().isBefore(deadline)) {
      Thread.sleep(1);
      away = threadsAwayFromHome();
    }
    assertThat(away).isEmpty();
  }

  private static Set<String> threadsAwayFromHome() throws IOException {
    Path home = Files.readSymbolicLink(Path.of("/proc/self/ns/net"));
    Set<String> away = new TreeSet<>();
    try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
      for (Path task : (Iterable<Path>) tasks::iterator) {
        try {
          if (!Files.readSymbolicLink(task.resolve("ns/net")).equals(home)) {
            away.add(Files.readString(task.resolve("comm")).strip());
          }
        } catch (IOException e) {
          // The thread ended meanwhile: ENOENT, or ESRCH on a file already open.
        }
      }
    }
    return away;
  }

  @Test
  void what_is_no_network_namespace_is_refused() throws Exception {
    assertThatThrownBy(() -> Netns.open(Path.of("/run/netns/mgyt-absent")))
        .isInstanceOfSatisfying(LinuxException.class, e -> assertThat(e.is(Errno.ENOENT)).isTrue())
        .hasMessage("open /run/netns/mgyt-absent: ENOENT");
    assertThatThrownBy(() -> Netns.open(Path.of("/etc/passwd")))
        .isInstanceOfSatisfying(LinuxException.class, e -> assertThat(e.is(Errno.EINVAL)).isTrue());
    int mount = LibC.open("/proc/self/ns/mnt", LibC.O_RDONLY | LibC.O_CLOEXEC);
    try {
      assertThatThrownBy(() -> Netns.callIn(mount, () -> 1))
          .isInstanceOfSatisfying(
              LinuxException.class, e -> assertThat(e.is(Errno.EINVAL)).isTrue());
    } finally {
      LibC.close(mount);
    }
  }

  @Test
  void sysctls_are_those_of_the_namespace() throws Exception {
    Sysctl forwarding = Sysctl.of("ipv4/ip_forward");
    try (TestNetns one = TestNetns.create();
        TestNetns two = TestNetns.create()) {
      one.ip("link add va.100 type veth peer name vb");
      Sysctl dotted = Sysctl.ofInterface(IpFamily.IPV6, new InterfaceName("va.100"), "accept_ra");
      Map<Sysctl, String> values = new LinkedHashMap<>();
      values.put(forwarding, "1");
      values.put(dotted, "0");
      Netns.writeSysctl(two.fd(), forwarding, "0");
      Netns.writeSysctls(one.fd(), values);

      assertThat(Netns.readSysctl(one.fd(), forwarding)).isEqualTo("1");
      assertThat(Netns.readSysctl(one.fd(), dotted)).isEqualTo("0");
      assertThat(Netns.readSysctl(two.fd(), forwarding)).isEqualTo("0");
      assertThatThrownBy(() -> Netns.writeSysctl(two.fd(), dotted, "0"))
          .isInstanceOfSatisfying(
              LinuxException.class, e -> assertThat(e.is(Errno.ENOENT)).isTrue())
          .hasMessageContaining("va.100");
    }
  }
}
