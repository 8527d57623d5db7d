package io.margay.policy.oracle;

import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.EndpointSlice;
import io.margay.model.resource.EntityRule;
import io.margay.model.resource.GlobalNetworkPolicy;
import io.margay.model.resource.HostEndpoint;
import io.margay.model.resource.IcmpFields;
import io.margay.model.resource.NetworkPolicy;
import io.margay.model.resource.PolicySpec;
import io.margay.model.resource.PolicyType;
import io.margay.model.resource.Port;
import io.margay.model.resource.Profile;
import io.margay.model.resource.Protocol;
import io.margay.model.resource.Resource;
import io.margay.model.resource.Rule;
import io.margay.model.resource.ServiceAccountMatch;
import io.margay.model.resource.ServiceMatch;
import io.margay.model.resource.Tier;
import io.margay.model.resource.TierAction;
import io.margay.model.selector.Selector;
import io.margay.policy.EndpointKey;
import io.margay.policy.HostEndpointKey;
import io.margay.policy.HostStage;
import io.margay.policy.PolicyKey;
import io.margay.policy.RuleAction;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Decides about packets straight from the resources, rule by rule as the semantics of the v3
/// policy model are written: slow, obvious, total. It shares no code with the calc graph and knows
/// all nodes.
///
/// It judges what is stored. The graph may do better than an invalid resource deserves (the last
/// valid version stays in force), which needs a memory the oracle does not have.
public final class PolicyOracle {

  private static final Map<String, TierOrder> BUILT_IN_TIERS =
      Map.of(
          "kube-admin", new TierOrder(1_000, RuleAction.PASS),
          "default", new TierOrder(1_000_000, RuleAction.DENY),
          "kube-baseline", new TierOrder(10_000_000, RuleAction.PASS));

  private static final String DEFAULT_ALLOW = "projectcalico-default-allow";

  private record TierOrder(double order, RuleAction endAction) {}

  /// An enforced policy.
  ///
  /// @param namespace empty for a global one
  private record Policy(PolicyKey key, String namespace, PolicySpec spec) {

    private boolean appliesTo(PolicyType direction) {
      return spec.effectiveTypes().contains(direction);
    }

    private List<Rule> rules(PolicyType direction) {
      return direction == PolicyType.INGRESS ? spec.ingress() : spec.egress();
    }

    private boolean isFor(HostStage stage) {
      return switch (stage) {
        case UNTRACKED -> spec.isDoNotTrack();
        case PRE_DNAT -> spec.isPreDnat() && !spec.isDoNotTrack();
        case NORMAL -> !spec.isDoNotTrack() && !spec.isPreDnat();
        case FORWARDED -> spec.isApplyOnForward() && !spec.isDoNotTrack() && !spec.isPreDnat();
      };
    }

    private boolean isValid() {
      return !(spec.isDoNotTrack() && spec.isPreDnat())
          && (namespace.isEmpty() || !isGiven(spec.namespaceSelector()))
          && areValid(spec.ingress())
          && areValid(spec.egress());
    }
  }

  private static boolean areValid(List<Rule> rules) {
    return rules.stream().allMatch(RuleValidity::isValid);
  }

  private final Map<EndpointKey, Entity> endpoints = new TreeMap<>();
  private final Map<HostEndpointKey, Entity> hosts = new TreeMap<>();
  private final List<Entity> entities = new ArrayList<>();
  private final List<EndpointSlice> slices = new ArrayList<>();
  private final List<Policy> policies = new ArrayList<>();
  private final Map<String, Profile> profiles = new HashMap<>();
  private final Map<String, TierOrder> tiers = new HashMap<>(BUILT_IN_TIERS);

  /// @param world all resources of the cluster; kinds without a say are skipped
  public PolicyOracle(Collection<? extends Resource> world) {
    for (Resource resource : world) {
      if (resource instanceof Profile profile) {
        profiles.put(profile.metadata().name(), profile);
      }
    }
    for (Resource resource : world) {
      Entity entity = Entity.of(resource, profiles);
      if (entity != null) {
        entities.add(entity);
        if (entity.isWorkload()) {
          endpoints.put(
              new EndpointKey(resource.metadata().namespaceOrEmpty(), resource.metadata().name()),
              entity);
        } else if (resource instanceof HostEndpoint host) {
          hosts.put(new HostEndpointKey(host.metadata().name()), entity);
        }
      }
      if (resource instanceof Tier tier) {
        tiers.put(
            tier.metadata().name(),
            new TierOrder(
                tier.spec().effectiveOrder(),
                tier.spec().effectiveDefaultAction() == TierAction.PASS
                    ? RuleAction.PASS
                    : RuleAction.DENY));
      } else if (resource instanceof EndpointSlice slice) {
        slices.add(slice);
      } else if (resource instanceof NetworkPolicy policy) {
        add(policy, policy.spec());
      } else if (resource instanceof GlobalNetworkPolicy policy) {
        add(policy, policy.spec());
      }
    }
  }

  private void add(Resource policy, PolicySpec spec) {
    String namespace = policy.metadata().namespaceOrEmpty();
    PolicyKey key = new PolicyKey(policy.kind().kindName(), namespace, policy.metadata().name());
    Selector accounts = spec.serviceAccountSelector();
    if (spec.effectiveSelector().usesGlobal() || accounts != null && accounts.usesGlobal()) {
      // Not a selector of endpoints: nobody knows whom the policy means.
      return;
    }
    policies.add(new Policy(key, namespace, spec));
  }

  /// What happens to a packet on its whole way. Traffic of an endpoint to itself never leaves it.
  public Verdict decide(Flow flow) {
    if (flow.source().equals(flow.destination())) {
      return new Verdict(null, null);
    }
    Optional<EndpointKey> from = endpointAt(flow.source());
    Optional<EndpointKey> to = endpointAt(flow.destination());
    return new Verdict(
        from.map(key -> decide(key, PolicyType.EGRESS, flow)).orElse(null),
        to.map(key -> decide(key, PolicyType.INGRESS, flow)).orElse(null));
  }

  private Optional<EndpointKey> endpointAt(IpAddress address) {
    return endpoints.entrySet().stream()
        .filter(endpoint -> endpoint.getValue().holds(address))
        .map(Map.Entry::getKey)
        .findFirst();
  }

  /// What one endpoint's policies say.
  ///
  /// @throws IllegalArgumentException if there is no such endpoint
  public Decision decide(EndpointKey key, PolicyType direction, Flow flow) {
    Entity endpoint = endpoints.get(key);
    if (endpoint == null) {
      throw new IllegalArgumentException("there is no endpoint " + key);
    }
    List<Policy> applying = applying(endpoint, HostStage.NORMAL, direction);
    List<Step> path = new ArrayList<>();
    for (String tier : tiersInOrder(applying)) {
      RuleAction action = inTier(tier, applying, true, direction, flow, path);
      if (action != RuleAction.PASS) {
        return new Decision(action == RuleAction.ALLOW, path);
      }
    }
    return new Decision(inProfiles(endpoint.profiles(), direction, flow, path), path);
  }

  /// What one host endpoint's policies say at a stage.
  ///
  /// @throws IllegalArgumentException if there is no such endpoint
  public HostDecision decide(
      HostEndpointKey key, HostStage stage, PolicyType direction, Flow flow) {
    Entity host = hosts.get(key);
    if (host == null) {
      throw new IllegalArgumentException("there is no host endpoint " + key);
    }
    boolean tiersEnd = stage == HostStage.NORMAL || stage == HostStage.FORWARDED;
    List<Policy> applying = applying(host, stage, direction);
    List<Step> path = new ArrayList<>();
    for (String tier : tiersInOrder(applying)) {
      RuleAction action = inTier(tier, applying, tiersEnd, direction, flow, path);
      if (action != RuleAction.PASS) {
        return new HostDecision(
            action == RuleAction.ALLOW ? HostDecision.Outcome.ALLOW : HostDecision.Outcome.DENY,
            path);
      }
    }
    if (stage != HostStage.NORMAL) {
      return new HostDecision(HostDecision.Outcome.OPEN, path);
    }
    return new HostDecision(
        inProfiles(host.profiles(), direction, flow, path)
            ? HostDecision.Outcome.ALLOW
            : HostDecision.Outcome.DENY,
        path);
  }

  private List<Policy> applying(Entity endpoint, HostStage stage, PolicyType direction) {
    return policies.stream()
        .filter(policy -> policy.isFor(stage) && policy.appliesTo(direction))
        .filter(policy -> stage != HostStage.PRE_DNAT || direction == PolicyType.INGRESS)
        .filter(policy -> selects(policy, endpoint))
        .toList();
  }

  private boolean selects(Policy policy, Entity endpoint) {
    PolicySpec spec = policy.spec;
    if (!policy.namespace.isEmpty()) {
      return policy.namespace.equals(endpoint.namespace())
          && endpoint.is(spec.selector())
          && endpoint.runsAs(spec.serviceAccountSelector(), true);
    }
    return endpoint.is(spec.selector())
        && endpoint.livesIn(spec.namespaceSelector())
        && endpoint.runsAs(spec.serviceAccountSelector(), endpoint.serviceAccount() != null);
  }

  /// Tiers that don't exist first, then by order, ties by name.
  private List<String> tiersInOrder(List<Policy> applying) {
    return applying.stream()
        .map(policy -> policy.spec.effectiveTier())
        .distinct()
        .sorted(
            Comparator.comparingDouble(
                    (String tier) ->
                        tiers.containsKey(tier) ? tierOf(tier).order : Double.NEGATIVE_INFINITY)
                .thenComparing(Comparator.naturalOrder()))
        .toList();
  }

  /// A tier nobody made denies at its end.
  private TierOrder tierOf(String name) {
    return tiers.getOrDefault(name, new TierOrder(Double.NEGATIVE_INFINITY, RuleAction.DENY));
  }

  /// @param ends whether the tier's default action counts
  private RuleAction inTier(
      String tier,
      List<Policy> applying,
      boolean ends,
      PolicyType direction,
      Flow flow,
      List<Step> path) {
    List<Policy> ordered =
        applying.stream()
            .filter(policy -> policy.spec.effectiveTier().equals(tier))
            .sorted(
                Comparator.comparingDouble((Policy policy) -> policy.spec.effectiveOrder())
                    .thenComparing(
                        policy ->
                            policy.key.name()
                                + "/"
                                + policy.key.namespace()
                                + "/"
                                + policy.key.kind()))
            .toList();
    for (Policy policy : ordered) {
      if (!tiers.containsKey(tier) || !policy.isValid()) {
        path.add(new Step.PolicyRule(tier, policy.key, 0, RuleAction.DENY));
        return RuleAction.DENY;
      }
      List<Rule> rules = policy.rules(direction);
      for (int index = 0; index < rules.size(); index++) {
        RuleAction action = effectOf(rules.get(index), policy.namespace, flow);
        if (action != null) {
          path.add(new Step.PolicyRule(tier, policy.key, index, action));
          if (action != RuleAction.LOG) {
            return action;
          }
        }
      }
    }
    RuleAction end = ends ? tierOf(tier).endAction : RuleAction.PASS;
    path.add(new Step.EndOfTier(tier, end));
    return end;
  }

  private boolean inProfiles(List<String> names, PolicyType direction, Flow flow, List<Step> path) {
    for (String name : names) {
      if (name.equals(DEFAULT_ALLOW)) {
        path.add(new Step.ProfileRule(name, 0, RuleAction.ALLOW));
        return true;
      }
      Profile profile = profiles.get(name);
      if (profile == null) {
        path.add(new Step.MissingProfile(name));
        return false;
      }
      if (!areValid(profile.spec().ingress()) || !areValid(profile.spec().egress())) {
        path.add(new Step.ProfileRule(name, 0, RuleAction.DENY));
        return false;
      }
      List<Rule> rules =
          direction == PolicyType.INGRESS ? profile.spec().ingress() : profile.spec().egress();
      for (int index = 0; index < rules.size(); index++) {
        RuleAction action = effectOf(rules.get(index), "", flow);
        if (action != null) {
          path.add(new Step.ProfileRule(name, index, action));
          if (action != RuleAction.LOG) {
            return action == RuleAction.ALLOW;
          }
        }
      }
    }
    path.add(new Step.NoProfileMatched());
    return false;
  }

  /// What the rule does to the packet; null = it does not match.
  private @Nullable RuleAction effectOf(Rule rule, String namespace, Flow flow) {
    if (!matches(rule, namespace, flow)) {
      return null;
    }
    boolean exact = RuleValidity.isSupported(rule, namespace);
    return switch (rule.action()) {
      case ALLOW -> exact ? RuleAction.ALLOW : null;
      case LOG -> exact ? RuleAction.LOG : null;
      case DENY -> RuleAction.DENY;
      case PASS -> exact ? RuleAction.PASS : RuleAction.DENY;
    };
  }

  private boolean matches(Rule rule, String namespace, Flow flow) {
    Integer version = rule.ipVersion();
    Protocol protocol = rule.protocol();
    Protocol notProtocol = rule.notProtocol();
    return (version == null || version == flow.family().version())
        && (protocol == null || protocol.number() == flow.protocol())
        && (notProtocol == null || notProtocol.number() != flow.protocol())
        && (isEmpty(rule.icmp()) || isIcmp(rule.icmp(), flow))
        && (isEmpty(rule.notICMP()) || !isIcmp(rule.notICMP(), flow))
        && inService(rule.source(), namespace, false, flow)
        && inService(rule.destination(), namespace, true, flow)
        && matches(rule.source(), namespace, flow.source(), flow.protocol(), flow.sourcePort())
        && matches(
            rule.destination(),
            namespace,
            flow.destination(),
            flow.protocol(),
            flow.destinationPort());
  }

  /// Whether the end of the packet is one of the service's endpoints, and a destination at one of
  /// its ports; so it is where no service is named, or none that can be found.
  private boolean inService(EntityRule peer, String namespace, boolean isDestination, Flow flow) {
    ServiceMatch services = peer.services();
    if (services == null || !RuleValidity.isService(peer, namespace, isDestination)) {
      return true;
    }
    String given = services.namespace() == null ? "" : services.namespace();
    String scope = given.isEmpty() ? namespace : given;
    return slices.stream()
        .filter(slice -> slice.isOf(scope, String.valueOf(services.name())))
        .anyMatch(
            slice ->
                isDestination
                    ? slice.has(flow.destination(), flow.protocol(), flow.destinationPort())
                    : slice.addresses().contains(flow.source()));
  }

  private static boolean isEmpty(@Nullable IcmpFields fields) {
    return fields == null || fields.type() == null;
  }

  private static boolean isIcmp(@Nullable IcmpFields wanted, Flow flow) {
    Flow.Icmp icmp = flow.icmp();
    if (wanted == null || icmp == null) {
      return false;
    }
    Integer type = wanted.type();
    Integer code = wanted.code();
    return (type == null || type == icmp.type()) && (code == null || code == icmp.code());
  }

  private boolean matches(
      EntityRule peer, String namespace, IpAddress address, int protocol, int port) {
    return inNets(peer, address)
        && outOfNets(peer, address)
        && (!isConfined(peer, namespace)
            || entities.stream()
                .anyMatch(entity -> entity.holds(address) && picks(peer, namespace, entity)))
        && (!isGiven(peer.notSelector())
            || entities.stream()
                .noneMatch(entity -> entity.holds(address) && entity.is(peer.notSelector())))
        && (peer.ports().isEmpty()
            || isPort(peer, peer.ports(), namespace, address, protocol, port))
        && !isPort(peer, peer.notPorts(), namespace, address, protocol, port);
  }

  private static boolean inNets(EntityRule peer, IpAddress address) {
    return peer.nets().isEmpty() || peer.nets().stream().anyMatch(net -> net.contains(address));
  }

  /// A list of excluded nets speaks about the families it names, and no other.
  private static boolean outOfNets(EntityRule peer, IpAddress address) {
    List<Prefix> excluded = peer.notNets();
    return excluded.isEmpty()
        || excluded.stream().anyMatch(net -> net.family() == address.family())
            && excluded.stream().noneMatch(net -> net.contains(address));
  }

  /// Whether only known endpoints and network sets can match: with any positive choice, and in a
  /// namespaced policy with a negative one too.
  private static boolean isConfined(EntityRule peer, String namespace) {
    return isGiven(peer.selector())
        || isGiven(peer.namespaceSelector())
        || isGiven(peer.serviceAccounts())
        || !namespace.isEmpty() && isGiven(peer.notSelector());
  }

  private static boolean isGiven(@Nullable Selector selector) {
    return selector != null && !selector.text().isEmpty();
  }

  private static boolean isGiven(@Nullable ServiceAccountMatch accounts) {
    return accounts != null && (!accounts.names().isEmpty() || isGiven(accounts.selector()));
  }

  /// Whether the peer's positive choices include the entity.
  private static boolean picks(EntityRule peer, String namespace, Entity entity) {
    boolean inScope =
        isGiven(peer.namespaceSelector())
            ? entity.livesIn(peer.namespaceSelector())
            : namespace.isEmpty() || namespace.equals(entity.namespace());
    ServiceAccountMatch accounts = peer.serviceAccounts();
    return inScope
        && entity.is(peer.selector())
        && (accounts == null
            || entity.runsAs(accounts.selector(), true)
                && (accounts.names().isEmpty()
                    || accounts.names().contains(String.valueOf(entity.serviceAccount()))));
  }

  private boolean isPort(
      EntityRule peer,
      List<Port> wanted,
      String namespace,
      IpAddress address,
      int protocol,
      int port) {
    for (Port one : wanted) {
      boolean found =
          switch (one) {
            case Port.Single(int number) -> number == port;
            case Port.Range(int first, int last) -> first <= port && port <= last;
            case Port.Named(String name) ->
                entities.stream()
                    .anyMatch(
                        entity ->
                            entity.holds(address)
                                && entity.calls(name, protocol, port)
                                && (!isConfined(peer, namespace)
                                    || picks(peer, namespace, entity)));
          };
      if (found) {
        return true;
      }
    }
    return false;
  }
}
