package io.margay.ipam.care;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.margay.datastore.KeyValue;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.Block;
import io.margay.ipam.BlockAffinity;
import io.margay.ipam.Handle;
import io.margay.ipam.IpamConfig;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.Unreadable;
import io.margay.ipam.care.IpamState.Faulty;
import io.margay.ipam.care.IpamState.PoolRange;
import io.margay.ipam.care.IpamState.Use;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.ClusterInformation;
import io.margay.model.resource.IPPool;
import io.margay.model.resource.IPReservation;
import io.margay.model.resource.Node;
import io.margay.model.resource.NodeBgp;
import io.margay.model.resource.NodeSpec;
import io.margay.model.resource.NodeWireguard;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// Turns documents into an {@link IpamState}, one at a time and in any order.
final class StateReader {

  private static final JsonMapper JSON = JsonMapper.builder().build();

  /// `/calico/felix/v2/<region>/host/<node>/status`.
  private static final Pattern FELIX_STATUS =
      Pattern.compile("/calico/felix/v2/[^/]+/host/([^/]+)/status");

  private final IpamState state = new IpamState();

  IpamState state() {
    return state;
  }

  void take(KeyValue item) {
    String key = item.key();
    try {
      if (key.startsWith(IpamState.ENDPOINTS)) {
        endpoint(item);
      } else if (key.startsWith(ResourceKeys.ROOT)) {
        ResourceJson.decode(key, item.value(), item.modRevision())
            .ifPresent(decoded -> resource(decoded, key));
      } else if (key.equals(IpamKeys.CONFIG)) {
        state.config = IpamConfig.parse(item.value());
      } else {
        addresses(item);
      }
    } catch (IllegalArgumentException wrong) {
      state.unreadable.add(new Unreadable(key, String.valueOf(wrong.getMessage())));
    }
  }

  private void addresses(KeyValue item) {
    String key = item.key();
    Optional<Prefix> block = IpamKeys.blockOf(key);
    Optional<IpamKeys.AffinityKey> claim = IpamKeys.affinityOf(key);
    Optional<String> handle = IpamKeys.handleOf(key);
    Optional<String> agent = AgentBeat.nodeOf(key);
    Matcher felix = FELIX_STATUS.matcher(key);
    if (block.isPresent()) {
      block(block.get(), item);
    } else if (claim.isPresent()) {
      state.claims.put(
          claim.get(),
          new Stored<>(key, BlockAffinity.parse(key, item.value()), item.modRevision()));
    } else if (handle.isPresent()) {
      state.handles.put(
          handle.get(),
          new Stored<>(key, Handle.parse(handle.get(), item.value()), item.modRevision()));
    } else if (agent.isPresent()) {
      state.beats.put(
          agent.get(), new Stored<>(key, AgentBeat.parse(key, item.value()), item.modRevision()));
    } else if (felix.matches()) {
      state.felixNodes.add(felix.group(1));
    }
  }

  private void block(Prefix cidr, KeyValue item) {
    BlockAnatomy anatomy = BlockAnatomy.of(cidr, item.value());
    boolean isReadable = false;
    try {
      Block block = Block.parse(item.key(), item.value());
      if (block.cidr().equals(cidr)) {
        isReadable = true;
        state.blocks.put(cidr, new Stored<>(item.key(), block, item.modRevision()));
      }
    } catch (IllegalArgumentException wrong) {
      if (anatomy.faults().isEmpty()) {
        anatomy.refuse(String.valueOf(wrong.getMessage()));
      }
    }
    if (!anatomy.faults().isEmpty()) {
      state.faulty.put(
          cidr, new Faulty(new Stored<>(item.key(), anatomy, item.modRevision()), isReadable));
    }
  }

  /// Only what is looked at: there may be very many, and a document of another version is still
  /// somebody's use of an address.
  private void endpoint(KeyValue item) {
    JsonNode spec;
    try {
      spec = JSON.readTree(item.value()).path("spec");
    } catch (JsonProcessingException malformed) {
      throw new IllegalArgumentException(
          "is not JSON: " + malformed.getOriginalMessage(), malformed);
    }
    Use use =
        new Use(
            item.key(),
            item.key().substring(IpamState.ENDPOINTS.length()),
            spec.path("node").asText("").intern(),
            spec.path("containerID").asText(""),
            spec.path("pod").asText(""),
            spec.path("interfaceName").asText(""),
            item.modRevision());
    for (JsonNode network : spec.path("ipNetworks")) {
      IpAddress address = Prefix.parseLenient(network.asText()).address();
      state.uses.computeIfAbsent(address, _ -> new ArrayList<>(1)).add(use);
    }
  }

  private void resource(Decoded decoded, String key) {
    switch (decoded) {
      case Decoded.Valid(Resource resource) -> resource(resource);
      case Decoded.Invalid(ResourceRef ref, var errors, var _) -> {
        state.unreadable.add(
            new Unreadable(
                key, errors.stream().map(Object::toString).collect(Collectors.joining("; "))));
        if (key.startsWith(ResourceKeys.prefix(io.margay.model.resource.Kind.NODE))) {
          // It is there, whatever it says.
          state.nodes.put(ref.name(), List.of());
        }
      }
    }
  }

  private void resource(Resource resource) {
    switch (resource) {
      case IPPool pool ->
          state.pools.add(
              new PoolRange(
                  pool.metadata().name(),
                  pool.spec().cidr(),
                  pool.spec().effectiveBlockSize(),
                  pool.spec().isDisabled()));
      case IPReservation reservation ->
          state.reservations.addAll(reservation.spec().reservedCIDRs());
      case Node node -> state.nodes.put(node.metadata().name(), tunnelAddresses(node.spec()));
      case ClusterInformation information ->
          state.cluster =
              new IpamState.Cluster(
                  information.spec().clusterGUID() == null ? "" : information.spec().clusterGUID(),
                  information.spec().clusterType() == null ? "" : information.spec().clusterType(),
                  Long.parseLong(String.valueOf(information.metadata().resourceVersion())),
                  !information.spec().isDatastoreReady());
      default -> {}
    }
  }

  /// Addresses a node's tunnel devices have.
  private static List<IpAddress> tunnelAddresses(NodeSpec spec) {
    List<IpAddress> addresses = new ArrayList<>();
    if (spec.ipv4VXLANTunnelAddr() != null) {
      addresses.add(spec.ipv4VXLANTunnelAddr());
    }
    if (spec.ipv6VXLANTunnelAddr() != null) {
      addresses.add(spec.ipv6VXLANTunnelAddr());
    }
    NodeBgp bgp = spec.bgp();
    if (bgp != null && bgp.ipv4IPIPTunnelAddr() != null) {
      addresses.add(bgp.ipv4IPIPTunnelAddr());
    }
    NodeWireguard wireguard = spec.wireguard();
    if (wireguard != null && wireguard.interfaceIPv4Address() != null) {
      addresses.add(wireguard.interfaceIPv4Address());
    }
    if (wireguard != null && wireguard.interfaceIPv6Address() != null) {
      addresses.add(wireguard.interfaceIPv6Address());
    }
    return List.copyOf(addresses);
  }
}
