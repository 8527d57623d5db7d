package io.margay.cni;

import io.margay.cni.journal.Attachment;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniException;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
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
