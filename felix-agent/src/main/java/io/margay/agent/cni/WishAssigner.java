package io.margay.agent.cni;

import io.margay.cni.PodAddresses;
import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.Workload;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.datastore.DatastoreException;
import io.margay.ipam.AssignIpRequest;
import io.margay.ipam.AssignRequest;
import io.margay.ipam.AssignResult;
import io.margay.ipam.AssignTerms;
import io.margay.ipam.Ipam;
import io.margay.ipam.SameTxn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// What a pod wishes for, as requests to IPAM.
final class WishAssigner {

  private final String node;
  private final Ipam ipam;
  private final Function<String, Optional<Prefix>> poolByName;
  private final InstantSource clock;

  /// @param poolByName the CIDR of an IPPool by its name
  WishAssigner(
      String node, Ipam ipam, Function<String, Optional<Prefix>> poolByName, InstantSource clock) {
    this.node = node;
    this.ipam = ipam;
    this.poolByName = poolByName;
    this.clock = clock;
  }

  /// The pools that a wish names, by name or CIDR.
  List<Prefix> pools(PodAddresses.Wish wish) throws CniException {
    List<Prefix> pools = new ArrayList<>(pools(wish.ipv4Pools()));
    pools.addAll(pools(wish.ipv6Pools()));
    return pools;
  }

  /// Asks for one address of each family that is wished for, and those wished for by name.
  ///
  /// @param write goes with the last of them
  AssignResult assign(Attachment attachment, PodAddresses.Wish wish, SameTxn write)
      throws DatastoreException, CniException {
    return assign(attachment, wish, 1, attributes(attachment), write);
  }

  /// @param count how many of each family
  /// @param attributes what is stored beside the addresses
  AssignResult assign(
      Attachment attachment,
      PodAddresses.Wish wish,
      int count,
      Map<String, String> attributes,
      SameTxn write)
      throws DatastoreException, CniException {
    Map<IpFamily, Integer> counts = new HashMap<>();
    wish.families().forEach(family -> counts.put(family, count));
    for (IpAddress wanted : wish.addresses()) {
      counts.putIfAbsent(wanted.family(), 1);
      AssignResult one =
          ipam.assignIp(
              new AssignIpRequest(
                  wanted, attachment.handleId(), node, attributes, SameTxn.nothing()));
      if (!(one instanceof AssignResult.Assigned)) {
        return one;
      }
    }
    List<Prefix> pools = pools(wish);
    // What the handle holds counts, so the explicit addresses above come back here with the
    // document.
    return ipam.assign(
        new AssignRequest(
            attachment.handleId(),
            node,
            counts.getOrDefault(IpFamily.IPV4, 0),
            counts.getOrDefault(IpFamily.IPV6, 0),
            attributes,
            pools,
            write,
            terms(attachment)));
  }

  private static AssignTerms terms(Attachment attachment) {
    return switch (attachment.workload()) {
      case Workload.Pod(String namespace, String _) -> AssignTerms.pod(namespace);
      case Workload.Container _, Workload.Endpoint _ -> AssignTerms.WORKLOAD;
    };
  }

  private List<Prefix> pools(List<String> namesOrCidrs) throws CniException {
    List<Prefix> pools = new ArrayList<>();
    for (String text : namesOrCidrs) {
      pools.add(pool(text));
    }
    return pools;
  }

  private Prefix pool(String text) throws CniException {
    Optional<Prefix> named = poolByName.apply(text);
    if (named.isPresent()) {
      return named.get();
    }
    try {
      return Prefix.parse(text);
    } catch (IllegalArgumentException notCidr) {
      throw new CniException(
          CniError.BAD_CONFIG,
          "\"" + text + "\" is neither the name of an IPPool nor a CIDR; see margay get ippools");
    }
  }

  /// What is stored beside a pod's addresses, as Calico's plugin does. The caller's own to add to.
  Map<String, String> attributes(Attachment attachment) {
    return attributes(node, clock, attachment);
  }

  /// The same for another node's.
  static Map<String, String> attributes(String node, InstantSource clock, Attachment attachment) {
    Map<String, String> attributes = new HashMap<>();
    attributes.put("node", node);
    attributes.put("timestamp", clock.instant().toString());
    switch (attachment.workload()) {
      case Workload.Pod(String namespace, String name) -> {
        attributes.put("namespace", namespace);
        attributes.put("pod", name);
      }
      case Workload.Container _, Workload.Endpoint _ -> {}
    }
    return attributes;
  }
}
