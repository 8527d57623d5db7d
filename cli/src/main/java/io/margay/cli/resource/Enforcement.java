package io.margay.cli.resource;

import io.margay.agent.bgp.Passwords;
import io.margay.agent.calc.ClusterView;
import io.margay.agent.calc.HostKnobs;
import io.margay.agent.firewall.PacketLog;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.StagedKubernetesPolicies;
import io.margay.model.resource.BlockAffinity;
import io.margay.model.resource.CalicoNodeStatus;
import io.margay.model.resource.ClusterInformation;
import io.margay.model.resource.FelixConfiguration;
import io.margay.model.resource.FieldError;
import io.margay.model.resource.HostEndpoint;
import io.margay.model.resource.IPAMConfiguration;
import io.margay.model.resource.IPPool;
import io.margay.model.resource.IPReservation;
import io.margay.model.resource.Kind;
import io.margay.model.resource.KubeControllersConfiguration;
import io.margay.model.resource.LiveMigration;
import io.margay.model.resource.Node;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import io.margay.model.resource.StagedKubernetesNetworkPolicy;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.policy.CalcGraph;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What agents make of stored resources that they can't follow as written. The agents' own code is
/// asked here, for they keep their findings on their nodes: it knows what is stored now, not what
/// an agent still has in force from before.
final class Enforcement {

  /// Nodes whose sessions are worked out, beside those of a node to come; those that BGPPeers name
  /// before others.
  static final int MAX_NODES = 100;

  private static final Set<Kind> POLICIES =
      EnumSet.of(
          Kind.NETWORK_POLICY,
          Kind.GLOBAL_NETWORK_POLICY,
          Kind.STAGED_NETWORK_POLICY,
          Kind.STAGED_GLOBAL_NETWORK_POLICY,
          Kind.STAGED_KUBERNETES_NETWORK_POLICY);

  private static final Set<Kind> SPEAKERS =
      EnumSet.of(Kind.BGP_PEER, Kind.BGP_FILTER, Kind.BGP_CONFIGURATION);

  private static final String EARLIER =
      " (an agent that knows an earlier, valid version goes by that)";

  /// Stands for the graph that knows the tiers; no node has this name.
  private static final String WITH_TIERS = "(tiers)";

  /// By node. Made when asked: most kinds need none.
  private final Map<String, CalcGraph> graphs = new HashMap<>();

  private final Map<String, List<String>> ofSpeakers = new HashMap<>();

  /// Whether something may not be read here that resources depend on.
  private boolean isBlind;

  private Enforcement() {}

  /// Reads what resources of these kinds depend on. Who may not read that is told only of documents
  /// that can't be read.
  static Enforcement of(Collection<Kind> kinds, ResourceStore store) throws DatastoreException {
    Enforcement enforcement = new Enforcement();
    try {
      if (kinds.stream().anyMatch(POLICIES::contains)) {
        store.list(Kind.TIER, null).forEach(tier -> put(enforcement.graphOf(WITH_TIERS), tier));
      }
      if (kinds.stream().anyMatch(SPEAKERS::contains)) {
        enforcement.readSpeakers(store);
      }
    } catch (DatastoreException failure) {
      if (failure.kind() != DatastoreException.Kind.UNAUTHORISED) {
        throw failure;
      }
      enforcement.isBlind = true;
    }
    return enforcement;
  }

  private void readSpeakers(ResourceStore store) throws DatastoreException {
    ClusterView view = new ClusterView();
    for (Kind kind : List.of(Kind.NODE, Kind.BGP_PEER, Kind.BGP_FILTER, Kind.BGP_CONFIGURATION)) {
      for (Decoded decoded : store.list(kind, null)) {
        switch (decoded) {
          case Decoded.Valid(Resource resource) -> view.onUpdate(decoded.ref(), resource);
          case Decoded.Invalid invalid -> view.onUnreadable(invalid.ref(), errors(invalid));
        }
      }
    }
    Stream.concat(
            view.peers().values().stream().map(peer -> peer.spec().node()).filter(Objects::nonNull),
            view.nodes().keySet().stream())
        .distinct()
        .limit(MAX_NODES)
        .forEach(node -> foresee(node, view));
    foresee(ForeseenPeering.NEWCOMER, view);
  }

  private void foresee(String node, ClusterView view) {
    // Keys lie on the nodes.
    ForeseenPeering.of(node, view, _ -> new Passwords.Answer.Pending()).stream()
        .flatMap(intent -> intent.problems().stream())
        .filter(problem -> problem.contains(": "))
        .forEach(
            problem -> {
              String[] parts = problem.split(": ", 2);
              note(parts[0], parts[1]);
              String[] ofFilter = parts[1].split(": ", 2);
              if (ofFilter.length == 2 && ofFilter[0].startsWith("BGPFilter ")) {
                note(ofFilter[0], ofFilter[1] + " (" + parts[0] + ")");
              }
            });
  }

  private void note(String source, String problem) {
    List<String> known = ofSpeakers.computeIfAbsent(source, _ -> new ArrayList<>());
    if (!known.contains(problem)) {
      known.add(problem);
    }
  }

  /// What problems of BGP resources begin with.
  private static String source(ResourceRef ref) {
    return ref.kind().kindName() + " " + ref.name();
  }

  /// What is wrong with a resource, and what is done meanwhile; empty if it is followed as written.
  Optional<String> problem(Decoded decoded) {
    return switch (decoded) {
      case Decoded.Valid(Resource resource) -> isBlind ? Optional.empty() : unfollowed(resource);
      case Decoded.Invalid invalid -> Optional.of(unreadable(invalid));
    };
  }

  private Optional<String> unfollowed(Resource resource) {
    return switch (resource) {
      case WorkloadEndpoint endpoint -> asked(graphOf(endpoint.spec().node()), endpoint);
      case HostEndpoint endpoint -> asked(graphOf(endpoint.spec().node()), endpoint);
      case FelixConfiguration configuration -> joined(knobs(configuration));
      case IPPool _, KubeControllersConfiguration _ -> layout(resource);
      case Node _,
          BlockAffinity _,
          CalicoNodeStatus _,
          ClusterInformation _,
          IPAMConfiguration _,
          IPReservation _,
          LiveMigration _ ->
          Optional.empty();
      default ->
          SPEAKERS.contains(resource.kind())
              ? joined(ofSpeakers.getOrDefault(source(resource.ref()), List.of()))
              : asked(graphOf(resource.kind()), resource);
    };
  }

  private CalcGraph graphOf(Kind kind) {
    return graphOf(POLICIES.contains(kind) ? WITH_TIERS : null);
  }

  private CalcGraph graphOf(@Nullable String node) {
    return graphs.computeIfAbsent(
        Objects.requireNonNullElse(node, ForeseenPeering.NEWCOMER), CalcGraph::new);
  }

  private static Optional<String> asked(CalcGraph graph, Resource resource) {
    put(graph, new Decoded.Valid(resource));
    return answer(graph, resource.ref());
  }

  private static void put(CalcGraph graph, Decoded decoded) {
    switch (decoded) {
      case Decoded.Valid(StagedKubernetesNetworkPolicy staged) ->
          graph.onUpdate(
              staged.ref(),
              StagedKubernetesPolicies.translated(staged).map(Resource.class::cast).orElse(staged));
      case Decoded.Valid(Resource resource) -> graph.onUpdate(resource.ref(), resource);
      case Decoded.Invalid invalid ->
          graph.onUnreadable(invalid.ref(), invalid.readable().orElse(null), errors(invalid));
    }
  }

  private static Optional<String> answer(CalcGraph graph, ResourceRef ref) {
    Optional<String> problem = Optional.ofNullable(graph.problems().get(ref));
    graph.onUpdate(ref, null);
    return problem;
  }

  private static List<String> knobs(FelixConfiguration configuration) {
    // Whichever nodes it is for.
    HostKnobs knobs = new HostKnobs(ForeseenPeering.NEWCOMER, List.of(), PacketLog.DEFAULT);
    knobs.onUpdate("default", configuration);
    return knobs.read().problems();
  }

  private static Optional<String> layout(Resource resource) {
    ClusterView view = new ClusterView();
    view.onUpdate(resource.ref(), resource);
    return Stream.concat(
            view.settingProblems().stream().map(problem -> problem.split(": ", 2)[1]),
            view.ipamPools().pools().stream()
                .flatMap(pool -> pool.notServed().stream())
                .map(why -> why + "; no agent takes an address from it"))
        .reduce((one, next) -> one + "; " + next);
  }

  private String unreadable(Decoded.Invalid invalid) {
    ResourceRef ref = invalid.ref();
    CalcGraph graph = graphOf(ref.kind());
    put(graph, invalid);
    String problem =
        answer(graph, ref)
            .orElseGet(
                () ->
                    errors(invalid)
                        + switch (ref.kind()) {
                          case BGP_FILTER -> "; a BGPPeer that names it has no session";
                          case BGP_CONFIGURATION ->
                              "; everything in it has its default, but no mesh is made";
                          default -> "; it is taken for absent";
                        });
    return ref.kind() == Kind.BGP_FILTER ? problem : problem + EARLIER;
  }

  private static String errors(Decoded.Invalid invalid) {
    return invalid.errors().stream().map(FieldError::toString).collect(Collectors.joining("; "));
  }

  private static Optional<String> joined(List<String> problems) {
    return problems.isEmpty() ? Optional.empty() : Optional.of(String.join("; ", problems));
  }
}
