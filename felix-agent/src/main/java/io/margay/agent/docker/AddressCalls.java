package io.margay.agent.docker;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.cni.PodAddresses;
import io.margay.cni.StepVerbs;
import io.margay.cni.spec.CniException;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.MacAddress;
import io.margay.model.net.Prefix;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/// `IpamDriver.*`: addresses of the cluster's IPPools. A pool is its CIDR here, all pools of a
/// family are 0.0.0.0/0 or ::/0, and every address is one of its own (/32, /128).
final class AddressCalls {

  /// Both of Docker's address spaces: which pools there are does not depend on who asks.
  static final String ADDRESS_SPACE = "margay";

  private static final String GATEWAY = "com.docker.network.gateway";
  private static final String ADDRESS_TYPE = "RequestAddressType";
  private static final String MAC = "com.docker.network.endpoint.macaddress";
  private static final String ADDRESS = "Address";

  private final StepVerbs steps;
  private final Function<IpAddress, Optional<Prefix>> poolAround;

  /// @param poolAround the IPPool an address lies in
  AddressCalls(StepVerbs steps, Function<IpAddress, Optional<Prefix>> poolAround) {
    this.steps = steps;
    this.poolAround = poolAround;
  }

  /// A MAC address comes with each request for an address: what tells that two are for the same
  /// endpoint.
  static ObjectNode capabilities() {
    return reply().put("RequiresMACAddress", true).put("RequiresRequestReplay", false);
  }

  static ObjectNode addressSpaces() {
    return reply()
        .put("LocalDefaultAddressSpace", ADDRESS_SPACE)
        .put("GlobalDefaultAddressSpace", ADDRESS_SPACE);
  }

  ObjectNode requestPool(DockerRequest request) throws RefusedException {
    String subPool = request.text("SubPool");
    if (!subPool.isEmpty()) {
      throw new RefusedException(
          "--ip-range "
              + subPool
              + ": addresses come from whole IPPools; leave it out, or make an IPPool of it and"
              + " name that by --subnet");
    }
    if (!request.options().isEmpty()) {
      throw new RefusedException(
          "--ipam-opt " + request.options().fieldNames().next() + ": there are none; leave it out");
    }
    IpFamily family = request.truth("V6") ? IpFamily.IPV6 : IpFamily.IPV4;
    Prefix pool = pool(request.text("Pool"), family);
    // A gateway given here, Docker does not ask for one: ours is the same for everybody.
    ObjectNode reply = reply().put("PoolID", pool.toString()).put("Pool", pool.toString());
    reply.putObject("Data").put(GATEWAY, everything(family).toString());
    return reply;
  }

  static Prefix everything(IpFamily family) {
    return switch (family) {
      case IPV4 -> Prefix.parse("0.0.0.0/0");
      case IPV6 -> Prefix.parse("::/0");
    };
  }

  private Prefix pool(String subnet, IpFamily family) throws RefusedException {
    if (subnet.isEmpty()) {
      return everything(family);
    }
    Prefix wanted = prefix(subnet);
    if (wanted.length() == 0) {
      return wanted;
    }
    Optional<Prefix> pool = poolAround.apply(wanted.address());
    if (pool.equals(Optional.of(wanted))) {
      return wanted;
    }
    if (pool.isPresent() && pool.get().contains(wanted)) {
      throw new RefusedException(
          "--subnet "
              + wanted
              + " is a part of IPPool "
              + pool.get()
              + ", and addresses come from whole IPPools; use --subnet "
              + pool.get()
              + ", or make an IPPool of the part");
    }
    throw new RefusedException(
        "--subnet " + wanted + " is no IPPool's cidr; see margay get ippools");
  }

  private static Prefix prefix(String text) throws RefusedException {
    try {
      return Prefix.parseLenient(text);
    } catch (IllegalArgumentException notPrefix) {
      throw new RefusedException("subnet \"" + text + "\": " + notPrefix.getMessage(), notPrefix);
    }
  }

  ObjectNode requestAddress(DockerRequest request) throws RefusedException, CniException {
    Prefix pool = prefix(request.required("PoolID"));
    String wanted = request.text(ADDRESS);
    if (request.options().path(ADDRESS_TYPE).asText().equals(GATEWAY)) {
      throw new RefusedException(
          "--gateway "
              + wanted
              + ": every container reaches its node by 169.254.1.1 and fe80::1; leave it out");
    }
    String mac = request.options().path(MAC).asText();
    if (mac.isEmpty()) {
      throw new RefusedException(
          "--aux-address "
              + wanted
              + ": leave it out; an IPReservation keeps addresses from everybody");
    }
    IpAddress address = steps.lease(mac(mac), wish(pool, wanted));
    ObjectNode reply = reply().put(ADDRESS, address.toHostPrefix().toString());
    reply.putObject("Data");
    return reply;
  }

  private static MacAddress mac(String text) throws RefusedException {
    try {
      return MacAddress.parse(text);
    } catch (IllegalArgumentException notMac) {
      throw new RefusedException("MAC address \"" + text + "\": " + notMac.getMessage(), notMac);
    }
  }

  private static PodAddresses.Wish wish(Prefix pool, String wanted) throws RefusedException {
    if (!wanted.isEmpty()) {
      IpAddress address = address(wanted);
      if (!pool.contains(address)) {
        throw new RefusedException(
            "address "
                + address
                + " is not in the network's subnet "
                + pool
                + "; use one of those");
      }
      return new PodAddresses.Wish(Set.of(), List.of(address), List.of(), List.of());
    }
    List<String> named = pool.length() == 0 ? List.of() : List.of(pool.toString());
    return switch (pool.family()) {
      case IPV4 -> new PodAddresses.Wish(Set.of(IpFamily.IPV4), List.of(), named, List.of());
      case IPV6 -> new PodAddresses.Wish(Set.of(IpFamily.IPV6), List.of(), List.of(), named);
    };
  }

  static IpAddress address(String text) throws RefusedException {
    int slash = text.indexOf('/');
    try {
      return IpAddress.parse(slash < 0 ? text : text.substring(0, slash));
    } catch (IllegalArgumentException notAddress) {
      throw new RefusedException("address \"" + text + "\" is none", notAddress);
    }
  }

  /// With a network goes the gateway that we said it has.
  ObjectNode releaseAddress(DockerRequest request) throws RefusedException, CniException {
    IpAddress address = address(request.required(ADDRESS));
    for (IpFamily family : IpFamily.values()) {
      if (address.equals(everything(family).address())) {
        return reply();
      }
    }
    steps.giveBack(address);
    return reply();
  }

  private static ObjectNode reply() {
    return DockerRequest.JSON.createObjectNode();
  }
}
