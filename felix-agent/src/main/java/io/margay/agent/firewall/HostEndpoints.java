package io.margay.agent.firewall;

import io.margay.agent.firewall.HostProtection.ToHostAction;
import io.margay.linux.nft.NftChain;
import io.margay.linux.nft.NftData;
import io.margay.linux.nft.NftElement;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftVerdict;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.policy.HostEndpointKey;
import io.margay.policy.HostEndpointPolicy;
import io.margay.policy.HostInterface;
import io.margay.policy.TierPolicies;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The node's own endpoints: which interface is whose, and what of it is in the kernel. A node
/// without any has no chain for them.
///
/// Host endpoints are few; any change of one computes all of them anew.
final class HostEndpoints {

  private static final Logger LOG = LoggerFactory.getLogger(HostEndpoints.class);

  private final NftTable table;
  private final FirewallSettings settings;
  private final TierUse tiers;
  private final Map<IpFamily, HostRenderer> renderers = new EnumMap<>(IpFamily.class);

  private final TreeMap<HostEndpointKey, HostEndpointPolicy> endpoints = new TreeMap<>();
  private Map<InterfaceName, Set<IpAddress>> addresses = Map.of();
  private HostProtection protection = HostProtection.DEFAULT;
  private boolean dirty;

  private final Map<TierKey, Integer> usedTiers = new HashMap<>();
  private final Map<IpFamily, Set<String>> chains = new EnumMap<>(IpFamily.class);
  private final Map<IpFamily, Map<NftData, NftElement>> hosts = new EnumMap<>(IpFamily.class);
  private final Map<IpFamily, Map<NftData, NftElement>> failsafes = new EnumMap<>(IpFamily.class);
  private Set<HostEndpointKey> passedOver = Set.of();
  private Assignment assigned = new Assignment(new TreeMap<>(), null);

  /// Whose each interface is; `all` has those nobody named.
  private record Assignment(
      TreeMap<InterfaceName, HostEndpointKey> named, @Nullable HostEndpointKey all) {

    boolean isEmpty() {
      return named.isEmpty() && all == null;
    }

    Set<HostEndpointKey> keys() {
      Set<HostEndpointKey> keys = new HashSet<>(named.values());
      if (all != null) {
        keys.add(all);
      }
      return keys;
    }
  }

  /// Writes nothing before it has renderers.
  HostEndpoints(NftTable table, FirewallSettings settings, TierUse tiers) {
    this.table = table;
    this.settings = settings;
    this.tiers = tiers;
    for (IpFamily family : IpFamily.values()) {
      chains.put(family, new HashSet<>());
      hosts.put(family, new HashMap<>());
      failsafes.put(family, new HashMap<>());
    }
  }

  /// What it renders with from now on.
  void renderWith(Rendering rendering) {
    renderers.put(rendering.family(), new HostRenderer(settings, rendering));
    dirty |= !endpoints.isEmpty();
  }

  /// What each endpoint is to have. A view.
  Map<HostEndpointKey, HostEndpointPolicy> all() {
    return Collections.unmodifiableMap(endpoints);
  }

  /// @param policy null = there is no such endpoint
  void put(HostEndpointKey key, @Nullable HostEndpointPolicy policy) {
    HostEndpointPolicy before = policy == null ? endpoints.remove(key) : endpoints.put(key, policy);
    dirty |= !Objects.equals(before, policy);
  }

  /// Where each endpoint polices, as last rendered; one that does nowhere is there too.
  Map<HostEndpointKey, HostPlace> places() {
    Map<HostEndpointKey, HostPlace> places = new HashMap<>();
    for (HostEndpointKey key : endpoints.keySet()) {
      Set<InterfaceName> its = new HashSet<>();
      assigned
          .named()
          .forEach(
              (name, of) -> {
                if (of.equals(key)) {
                  its.add(name);
                }
              });
      places.put(key, new HostPlace(its, key.equals(assigned.all())));
    }
    return places;
  }

  /// Whether some endpoint is found by its addresses.
  boolean needAddresses() {
    return endpoints.values().stream()
        .anyMatch(policy -> policy.where() instanceof HostInterface.Holding);
  }

  /// Which addresses each interface has.
  void setAddresses(Map<InterfaceName, Set<IpAddress>> now) {
    dirty |= !addresses.equals(now) && needAddresses();
    addresses = Map.copyOf(now);
  }

  /// @return whether that is another than before
  boolean setProtection(HostProtection now) {
    boolean differs = !protection.equals(now);
    dirty |= differs;
    protection = now;
    return differs;
  }

  /// The profile came or went, which endpoints that name it must know.
  void onProfile(String name) {
    dirty |= endpoints.values().stream().anyMatch(policy -> policy.profiles().contains(name));
  }

  /// A workload's interface that another plugin named came or went.
  void onForeignWorkload() {
    dirty |= !endpoints.isEmpty() || protection.workloadToHost() == ToHostAction.DROP;
  }

  /// Writes what may differ.
  ///
  /// @param foreign workloads' interfaces that other plugins named
  void render(Set<InterfaceName> foreign, Predicate<String> hasProfile) {
    if (!dirty) {
      return;
    }
    dirty = false;
    Assignment assignment = assign(foreign);
    assigned = assignment;
    countTiers(assignment);
    for (IpFamily family : IpFamily.values()) {
      renderChains(family, assignment, hasProfile);
      replace(family, Layout.HOSTS, hosts, dispatch(assignment, foreign));
      replace(
          family,
          Layout.FAILSAFES,
          failsafes,
          assignment.isEmpty() ? Map.of() : failsafeElements(family));
    }
  }

  /// A name beats an address; of several equal claims the first by the endpoint's name has it.
  private Assignment assign(Set<InterfaceName> foreign) {
    TreeMap<InterfaceName, HostEndpointKey> named = new TreeMap<>();
    TreeMap<InterfaceName, HostEndpointKey> holding = new TreeMap<>();
    @Nullable HostEndpointKey all = null;
    for (Map.Entry<HostEndpointKey, HostEndpointPolicy> endpoint : endpoints.entrySet()) {
      HostEndpointKey key = endpoint.getKey();
      switch (endpoint.getValue().where()) {
        case HostInterface.All() -> all = all == null ? key : all;
        case HostInterface.Named(InterfaceName name) -> {
          if (isOurs(name, foreign)) {
            named.putIfAbsent(name, key);
          }
        }
        case HostInterface.Holding(Set<IpAddress> wanted) ->
            addresses.forEach(
                (name, own) -> {
                  if (isOurs(name, foreign) && own.stream().anyMatch(wanted::contains)) {
                    holding.putIfAbsent(name, key);
                  }
                });
      }
    }
    holding.forEach(named::putIfAbsent);
    Assignment assignment = new Assignment(named, all);
    tellPassedOver(assignment.keys());
    return assignment;
  }

  /// The loopback and workloads' interfaces are never a host endpoint's.
  private boolean isOurs(InterfaceName name, Set<InterfaceName> foreign) {
    return !name.equals(HostRenderer.LOOPBACK)
        && !settings.isNamedByUs(name)
        && !foreign.contains(name);
  }

  private void tellPassedOver(Set<HostEndpointKey> applied) {
    Set<HostEndpointKey> now = new HashSet<>(endpoints.keySet());
    now.removeAll(applied);
    for (HostEndpointKey key : now) {
      if (!passedOver.contains(key)) {
        LOG.atWarn()
            .addKeyValue("hostEndpoint", key)
            .log(
                "A host endpoint polices no interface: nothing here has its addresses, another"
                    + " endpoint has its interface already, or the interface is a workload's");
      }
    }
    passedOver = now;
  }

  private void countTiers(Assignment assignment) {
    Map<TierKey, Integer> now = new HashMap<>();
    for (HostEndpointKey key : assignment.keys()) {
      HostEndpointPolicy policy = policyOf(key);
      for (HostSlot slot : HostSlot.values()) {
        for (TierPolicies tier : slot.tiers(policy)) {
          now.merge(new TierKey(slot.direction(), tier, slot.manner()), 1, Integer::sum);
        }
        if (slot.concerns(policy)) {
          HostRenderer.before(slot, policy).forEach(tier -> now.merge(tier, 1, Integer::sum));
        }
      }
    }
    // More before fewer, so that what stays is never seen to go.
    now.forEach((tier, count) -> tiers.count(tier, count));
    usedTiers.forEach((tier, count) -> tiers.count(tier, -count));
    usedTiers.clear();
    usedTiers.putAll(now);
  }

  private HostEndpointPolicy policyOf(HostEndpointKey key) {
    return Objects.requireNonNull(endpoints.get(key), "an endpoint is assigned and unknown");
  }

  private void renderChains(IpFamily family, Assignment assignment, Predicate<String> hasProfile) {
    HostRenderer renderer = Objects.requireNonNull(renderers.get(family));
    List<NftChain> now = new ArrayList<>();
    for (HostSlot slot : HostSlot.values()) {
      if (!isUsed(slot, assignment)) {
        continue;
      }
      HostEndpointKey all = assignment.all();
      boolean hasAll = all != null && slot.concerns(policyOf(all));
      now.addAll(renderer.base(slot, hasAll, protection.workloadToHost()));
      if (all != null && hasAll) {
        now.addAll(renderer.endpoint(slot, "", all, policyOf(all), hasProfile));
      }
      assignment
          .named()
          .forEach(
              (name, key) -> {
                if (slot.concerns(policyOf(key))) {
                  now.addAll(renderer.endpoint(slot, name.value(), key, policyOf(key), hasProfile));
                }
              });
    }
    Set<String> before = Objects.requireNonNull(chains.get(family));
    now.forEach(
        chain -> {
          table.putChain(family, chain);
          before.remove(chain.name());
        });
    before.forEach(gone -> table.removeChain(family, gone));
    before.clear();
    now.forEach(chain -> before.add(chain.name()));
  }

  private boolean isUsed(HostSlot slot, Assignment assignment) {
    return assignment.keys().stream().anyMatch(key -> slot.concerns(policyOf(key)))
        || slot == HostSlot.IN && protection.workloadToHost() == ToHostAction.DROP;
  }

  /// An interface with an endpoint of its own that has nothing to say in a slot is kept from the
  /// one that stands for all; so are workloads that another plugin named.
  private Map<NftData, NftElement> dispatch(Assignment assignment, Set<InterfaceName> foreign) {
    Map<NftData, NftElement> elements = new HashMap<>();
    for (HostSlot slot : HostSlot.values()) {
      if (!isUsed(slot, assignment)) {
        continue;
      }
      assignment
          .named()
          .forEach(
              (name, key) ->
                  add(
                      elements,
                      slot,
                      name,
                      slot.concerns(policyOf(key))
                          ? NftVerdict.jump(slot.chain(name.value()))
                          : NftVerdict.ACCEPT));
      boolean closed = slot == HostSlot.IN && protection.workloadToHost() == ToHostAction.DROP;
      for (InterfaceName name : foreign) {
        add(elements, slot, name, closed ? NftVerdict.DROP : NftVerdict.ACCEPT);
      }
    }
    return elements;
  }

  private static void add(
      Map<NftData, NftElement> elements, HostSlot slot, InterfaceName name, NftVerdict verdict) {
    NftElement element = Layout.host(slot.id(), name, verdict);
    elements.put(element.key(), element);
  }

  private Map<NftData, NftElement> failsafeElements(IpFamily family) {
    Map<NftData, NftElement> elements = new HashMap<>();
    for (Direction direction : Direction.values()) {
      List<Failsafe> wanted =
          switch (direction) {
            case INGRESS -> protection.inbound();
            case EGRESS -> protection.outbound();
          };
      Map<Failsafe, Set<Prefix>> nets = new HashMap<>();
      for (Failsafe failsafe : wanted) {
        Prefix net = failsafe.net() == null ? Layout.everything(family) : failsafe.net();
        if (net.family() == family) {
          nets.computeIfAbsent(
                  new Failsafe(failsafe.protocol(), failsafe.port(), null), _ -> new HashSet<>())
              .add(net);
        }
      }
      nets.forEach(
          (port, prefixes) ->
              MaximalPrefixes.of(prefixes, family)
                  .forEach(
                      prefix -> {
                        NftElement element = Layout.failsafe(direction, port, prefix);
                        elements.put(element.key(), element);
                      }));
    }
    return elements;
  }

  private void replace(
      IpFamily family,
      String set,
      Map<IpFamily, Map<NftData, NftElement>> written,
      Map<NftData, NftElement> now) {
    Map<NftData, NftElement> before = Objects.requireNonNull(written.put(family, now));
    before.forEach(
        (key, element) -> {
          if (!now.containsKey(key)) {
            table.removeElement(family, set, key);
          }
        });
    now.values().forEach(element -> table.putElement(family, set, element));
  }
}
