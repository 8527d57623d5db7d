package io.margay.bgp.rib;

import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.NextHop;
import io.margay.bgp.message.Nlri;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.message.Update;
import io.margay.bgp.policy.ExportMode;
import io.margay.bgp.policy.ExportSession;
import io.margay.bgp.policy.ImportMode;
import io.margay.bgp.policy.PeerKind;
import io.margay.bgp.policy.PeerPolicy;
import io.margay.bgp.policy.RouteSource;
import io.margay.bgp.policy.SpeakerPolicy;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.RouterId;
import io.margay.model.net.ScopedAddress;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Takes a full table from one peer through the RIBs to another and prints what it cost. Arguments:
/// routes, rounds.
final class RibLoadMain {

  // What the thread itself took: other work on the machine does not count.
  private static final ThreadMXBean CPU = ManagementFactory.getThreadMXBean();

  private static final int PER_SET = 8;
  private static final int PER_MESSAGE = 2;
  private static final int PER_POST = 128;
  private static final ScopedAddress FEEDER = ScopedAddress.parse("10.200.0.11");
  private static final ScopedAddress SINK = ScopedAddress.parse("10.200.1.2");

  private RibLoadMain() {}

  public static void main(String[] arguments) {
    int routes = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 1_000_000;
    int rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 3;
    for (int round = 0; round < rounds; round++) {
      long before = heap();
      Rib rib = rib();
      long[] nanos = new long[4];
      long told = load(rib, routes, nanos);
      long after = heap();
      System.out.printf(
          "routes %d told %d: in %d ns, settle %d ns, out %d ns a route; heap %.1f B a route;"
              + " sets %d%n",
          routes,
          told,
          nanos[0] / routes,
          nanos[1] / routes,
          nanos[2] / routes,
          (after - before) / (double) routes,
          rib.reader().attributeSets());
      long start = CPU.getCurrentThreadCpuTime();
      rib.peerDown(FEEDER, Set.of());
      rib.settle();
      long withdrawn = drain(rib);
      System.out.printf(
          "withdrawn %d: %d ns a route; left %s%n",
          withdrawn,
          (CPU.getCurrentThreadCpuTime() - start) / routes,
          rib.reader().table(IpFamily.IPV4));
    }
  }

  private static long load(Rib rib, int routes, long[] nanos) {
    long told = 0;
    List<Update> post = new ArrayList<>();
    // As a router that walks its table by hash sends it: the routes of a set in several messages,
    // far
    // apart.
    int sets = routes / PER_SET;
    for (int i = 0; i < sets * PER_SET / PER_MESSAGE; i++) {
      post.add(update(i % sets * PER_SET + i / sets * PER_MESSAGE, PER_MESSAGE));
      if (post.size() == PER_POST || i == sets * PER_SET / PER_MESSAGE - 1) {
        long start = CPU.getCurrentThreadCpuTime();
        rib.update(FEEDER, post);
        long updated = CPU.getCurrentThreadCpuTime();
        rib.settle();
        long settled = CPU.getCurrentThreadCpuTime();
        told += drain(rib);
        long drained = CPU.getCurrentThreadCpuTime();
        nanos[0] += updated - start;
        nanos[1] += settled - updated;
        nanos[2] += drained - settled;
        post = new ArrayList<>();
      }
    }
    return told;
  }

  private static long drain(Rib rib) {
    long told = 0;
    Optional<Rib.Batch> batch = rib.nextBatch(SINK);
    while (batch.isPresent()) {
      for (Rib.Group group : batch.get().groups()) {
        told += group.nlri().size();
      }
      batch = rib.nextBatch(SINK);
    }
    return told;
  }

  private static Update update(int first, int count) {
    Nlri.Builder nlri = Nlri.builder(IpFamily.IPV4, count);
    for (int i = 0; i < count; i++) {
      nlri.add(0x14000000L + (first + i) * 256L, 0, 24);
    }
    int group = first / PER_SET;
    AsPath path =
        AsPath.builder()
            .begin(AsPath.Kind.SEQUENCE)
            .add(65011)
            .add(100_000 + group)
            .add((int) (4_200_000_000L + group % 1000))
            .build();
    PathAttributes attributes =
        PathAttributes.builder()
            .put(new PathAttribute.Origin(PathAttribute.OriginCode.IGP))
            .put(new PathAttribute.AsPathAttribute(path))
            .put(new PathAttribute.MultiExitDisc(group % 100))
            .put(PathAttribute.Communities.ofValues(group % 65000 << 16 | group / 65000 + 1))
            .build();
    return new Update(
        Nlri.none(IpFamily.IPV4),
        null,
        attributes,
        Ipv4Address.parse("10.200.0.11"),
        nlri.build(),
        null);
  }

  private static Rib rib() {
    SpeakerPolicy speaker = SpeakerPolicy.of(new Asn(65001), RouterId.parse("1.1.1.1"));
    Rib rib = new Rib(speaker, new RibSettings(new DecisionRules(true, 8), false, false, 42), null);
    Set<IpFamily> ipv4 = Set.of(IpFamily.IPV4);
    rib.configure(
        Map.of(
            FEEDER,
            new RibPeer(
                ipv4,
                PeerPolicy.builder()
                    .importMode(ImportMode.ACCEPT)
                    .exportMode(ExportMode.NONE)
                    .build()),
            SINK,
            new RibPeer(
                ipv4,
                PeerPolicy.builder()
                    .importMode(ImportMode.REJECT)
                    .exportMode(ExportMode.ALL)
                    .build())),
        false);
    rib.peerUp(session(FEEDER, 65011, "10.200.0.1"));
    rib.peerUp(session(SINK, 65100, "10.200.1.1"));
    return rib;
  }

  private static RibSession session(ScopedAddress peer, int asn, String own) {
    Set<IpFamily> ipv4 = Set.of(IpFamily.IPV4);
    RouterId id = RouterId.parse(peer.toString());
    return new RibSession(
        new RouteSource(peer, new Asn(asn), id, PeerKind.EBGP),
        new ExportSession(
            peer,
            new Asn(asn),
            id,
            PeerKind.EBGP,
            ipv4,
            Map.of(IpFamily.IPV4, NextHop.of(IpAddress.parse(own))),
            Set.of(),
            Set.of()),
        ipv4,
        Set.of(),
        false,
        Set.of());
  }

  private static long heap() {
    System.gc();
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }
}
