package io.margay.cni;

import io.margay.cni.journal.Attachment;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniException;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.resource.WorkloadEndpoint;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/// Addresses of pods, kept in the datastore together with their WorkloadEndpoint.
public interface PodAddresses {

  /// Commits, in one transaction, the addresses (under {@link Attachment#handleId}) and the
  /// WorkloadEndpoint made of them. What the handle already holds counts, so that a repeated
  /// request gets the same addresses.
  ///
  /// @return the addresses, IPv4 first
  /// @throws CniException 101 pool exhausted, 102 a requested address can't be had, 104 the
  ///   datastore is away; then nothing may have been committed, or all of it: {@link #release} is
  ///   still owed
  List<IpAddress> assign(
      Attachment attachment, Wish wish, Function<List<IpAddress>, WorkloadEndpoint> document)
      throws CniException;

  /// Commits addresses under [Attachment#handleId] alone: whose they are, a runtime tells later.
  /// What the handle holds already is added to.
  ///
  /// @return those asked for now
  /// @throws CniException as [#assign]
  List<IpAddress> hold(Attachment attachment, Wish wish) throws CniException;

  /// Commits addresses for an interface that another plugin makes: there is no WorkloadEndpoint. A
  /// repeated request gets the same ones. They are never the first or last of their pool, which
  /// mean something else on a shared wire.
  ///
  /// @param gateways kept from pods, and the answer's gateways where they lie in a pool; the others
  ///   get an address of the pool, the same on every node
  /// @return IPv4 first
  /// @throws CniException as {@link #assign}
  List<Lease> lease(Attachment attachment, Wish wish, List<IpAddress> gateways) throws CniException;

  /// Commits the WorkloadEndpoint of an attachment whose addresses are another plugin's.
  ///
  /// @throws CniException 104 the datastore is away; it may have been committed all the same
  void publish(Attachment attachment, WorkloadEndpoint document) throws CniException;

  /// Deletes what {@link #publish} committed, on the same condition as {@link #release}, and leaves
  /// addresses alone. None is success.
  ///
  /// @throws CniException 104 the datastore is away; the caller journals and repeats
  void withdraw(Attachment attachment) throws CniException;

  /// An address as another plugin needs it.
  ///
  /// @param address the pod's
  /// @param pool the subnet it lies in
  /// @param gateway of that subnet
  record Lease(IpAddress address, Prefix pool, IpAddress gateway) {}

  /// Gives everything under the attachment's handle back, and deletes the WorkloadEndpoint if its
  /// `containerID` is this attachment's: a late release of an old container must not touch the new
  /// one's. Nothing held is success.
  ///
  /// @throws CniException 104 the datastore is away; the caller journals and repeats
  void release(Attachment attachment) throws CniException;

  /// The same for an attachment of which no more is known than DEL tells.
  void release(String network, AttachmentId id) throws CniException;

  /// What is wanted.
  ///
  /// @param families one address each, unless `addresses` names one of that family
  /// @param addresses these very ones; one of a family beyond `families` is wanted too
  /// @param ipv4Pools names or CIDRs of the only pools to use; empty means any
  /// @param ipv6Pools the same for IPv6
  record Wish(
      Set<IpFamily> families,
      List<IpAddress> addresses,
      List<String> ipv4Pools,
      List<String> ipv6Pools) {
    public Wish {
      families = Set.copyOf(families);
      addresses = List.copyOf(addresses);
      ipv4Pools = List.copyOf(ipv4Pools);
      ipv6Pools = List.copyOf(ipv6Pools);
    }
  }
}
