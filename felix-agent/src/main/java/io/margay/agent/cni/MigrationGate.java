package io.margay.agent.cni;

import io.margay.cni.PodAddresses;
import io.margay.cni.journal.Attachment;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.model.net.IpAddress;
import io.margay.model.resource.WorkloadEndpoint;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/// Keeps addresses as they are while ClusterInformation `default` says `datastoreReady: false`, as
/// it does during a migration: what is assigned or freed meanwhile would be missing from the copy.
/// A pod that comes is told to try again; of one that goes, the release stays owed and is repeated.
public final class MigrationGate implements PodAddresses {

  private final PodAddresses addresses;
  private final BooleanSupplier datastoreReady;

  public MigrationGate(PodAddresses addresses, BooleanSupplier datastoreReady) {
    this.addresses = addresses;
    this.datastoreReady = datastoreReady;
  }

  @Override
  public List<IpAddress> assign(
      Attachment attachment, Wish wish, Function<List<IpAddress>, WorkloadEndpoint> document)
      throws CniException {
    requireOpen(attachment.id());
    return addresses.assign(attachment, wish, document);
  }

  @Override
  public List<IpAddress> hold(Attachment attachment, Wish wish) throws CniException {
    requireOpen(attachment.id());
    return addresses.hold(attachment, wish);
  }

  @Override
  public List<Lease> lease(Attachment attachment, Wish wish, List<IpAddress> gateways)
      throws CniException {
    requireOpen(attachment.id());
    return addresses.lease(attachment, wish, gateways);
  }

  @Override
  public void publish(Attachment attachment, WorkloadEndpoint document) throws CniException {
    requireOpen(attachment.id());
    addresses.publish(attachment, document);
  }

  @Override
  public void withdraw(Attachment attachment) throws CniException {
    requireOpen(attachment.id());
    addresses.withdraw(attachment);
  }

  @Override
  public void release(Attachment attachment) throws CniException {
    requireOpen(attachment.id());
    addresses.release(attachment);
  }

  @Override
  public void release(String network, AttachmentId id) throws CniException {
    requireOpen(id);
    addresses.release(network, id);
  }

  private void requireOpen(AttachmentId id) throws CniException {
    if (!datastoreReady.getAsBoolean()) {
      throw new CniException(
          CniError.TRY_LATER,
          "the datastore is locked for a migration, so the addresses of "
              + id
              + " stay as they are; margay datastore unlock ends that");
    }
  }
}
