package io.margay.agent;

import io.margay.agent.bgp.Announcements;
import io.margay.agent.bgp.BgpGlue;
import io.margay.agent.bgp.BgpIntent;
import io.margay.agent.bgp.LinkAddress;
import io.margay.agent.calc.ClusterView;
import io.margay.agent.dataplane.Dataplane;
import io.margay.agent.loop.Loop;
import io.margay.agent.settings.AgentSettings;
import io.margay.bgp.speaker.OriginatedRoute;
import io.margay.ipam.OwnBlocks;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The speaker as the calc loop sees it: hands on what the node announces and whom it speaks to, in
/// an order that no peer is told of what is not yet so. Belongs to the calc loop.
final class BgpFeed {

  private static final Logger LOG = LoggerFactory.getLogger(BgpFeed.class);

  private static final Duration SPEAKER_RETRY = Duration.ofSeconds(5);

  private final AgentSettings settings;
  private final Loop loop;
  private final Dataplane dataplane;
  private final BgpGlue bgp;
  private final Supplier<List<LinkAddress>> links;
  private final Runnable again;
  private boolean speakerDue;

  /// @param loop the calc loop
  /// @param links reads the node's addresses; may ask the kernel
  /// @param again run on the loop when [#speakerIsDue] and [#handOn] are to be called once more
  BgpFeed(
      AgentSettings settings,
      Loop loop,
      Dataplane dataplane,
      BgpGlue bgp,
      Supplier<List<LinkAddress>> links,
      Runnable again) {
    this.settings = settings;
    this.loop = loop;
    this.dataplane = dataplane;
    this.bgp = bgp;
    this.links = links;
    this.again = again;
  }

  /// Whom the node speaks to may be another: the next [#handOn] says so.
  void speakerIsDue() {
    speakerDue = true;
  }

  /// Blackholes first, announcements when they are in the kernel: nobody is told of a prefix whose
  /// unused addresses would loop. One whose blackhole is refused holds up no other. Peers come
  /// last: a session that came up before the speaker knew its prefixes would hear End-of-RIB
  /// without them, and a peer that kept them through our restart would drop them (RFC 4724 §4.2).
  void handOn(OwnBlocks own, ClusterView cluster) {
    Set<Prefix> announced = new TreeSet<>();
    List<Prefix> silent = cluster.unannouncedPools();
    own.confirmed().stream()
        .filter(block -> silent.stream().noneMatch(pool -> pool.contains(block)))
        .forEach(announced::add);
    own.borrowed().stream()
        .map(IpAddress::toHostPrefix)
        .filter(address -> silent.stream().noneMatch(pool -> pool.contains(address)))
        .forEach(announced::add);
    Set<OriginatedRoute> routes = Announcements.of(announced, settings.nodeName(), cluster);
    // Of pools whose packets are wrapped, the datastore says who has what; peers do not.
    Set<Prefix> guarded = new HashSet<>(own.confirmed());
    cluster.vxlanPools().forEach(pool -> guarded.add(pool.cidr()));
    dataplane.setBlocks(
        own.confirmed(),
        // The dataplane ends after us: who stops announces nothing new.
        routed ->
            loop.postUnlessEnded(
                () -> {
                  bgp.announce(without(own.confirmed(), routed, routes), guarded);
                  if (speakerDue) {
                    speakerDue = false;
                    configureSpeaker(cluster);
                  }
                }));
  }

  private static Set<OriginatedRoute> without(
      Set<Prefix> blocks, Set<Prefix> routed, Set<OriginatedRoute> routes) {
    return routes.stream()
        .filter(route -> routed.contains(route.prefix()) || !blocks.contains(route.prefix()))
        .collect(Collectors.toSet());
  }

  private void configureSpeaker(ClusterView cluster) {
    Optional<BgpIntent> intent =
        BgpIntent.of(settings.nodeName(), settings.bgp(), cluster, links.get(), bgp.passwords());
    if (intent.isEmpty()) {
      LOG.atWarn()
          .addKeyValue("node", settings.nodeName())
          .log(
              "no BGP: the node has neither an IPv4 address nor a router id, or its AS is 0; set"
                  + " bgp.ipv4, bgp.routerId or bgp.asNumber, or the Node's spec.bgp");
      return;
    }
    if (intent.get().awaitsPasswords()) {
      // They are known within the deadline of a call to the datastore, and then this is repeated.
      // Until then sessions stay as they are, and a first configuration, which also says whose
      // routes to wait for after a restart, waits.
      return;
    }
    dataplane.setPeerRoutes(intent.get().gateways());
    try {
      bgp.configure(intent.get()).ifPresent(wait -> loop.schedule(wait, again));
    } catch (IOException refused) {
      LOG.atError()
          .addKeyValue("reason", refused.getMessage())
          .log("BGP can't listen; trying again");
      loop.schedule(SPEAKER_RETRY, again);
    }
  }
}
