package io.margay.agent.docker;

import io.margay.cni.CniNode;
import io.margay.cni.CniVerbs;
import io.margay.cni.EndpointPolicy;
import io.margay.cni.PodAddresses;
import io.margay.cni.PodEndpoint;
import io.margay.cni.PodNetwork;
import io.margay.cni.ReleaseQueue;
import io.margay.cni.StepVerbs;
import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.protocol.DeletionQueue;
import io.margay.cni.spec.AttachmentId;
import io.margay.linux.netns.Netns;
import io.margay.linux.socket.OwnedFd;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.resource.WorkloadEndpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;

/// A node whose addresses are counted, whatever the family, and whose wires are names: all that the
/// steps of Docker's endpoints need.
final class FakeNode implements PodAddresses, PodNetwork, EndpointPolicy {

  final Map<String, List<IpAddress>> handles = new TreeMap<>();
  final Map<String, WorkloadEndpoint> endpoints = new TreeMap<>();
  final Map<InterfaceName, Attachment> wires = new HashMap<>();
  final List<Wish> wishes = new ArrayList<>();
  private int last = 10;

  StepVerbs steps(Path journal) throws IOException {
    return new CniVerbs(
            new CniNode("node1", "cali", 1500, new Netns.NetnsId(1, 1)),
            AttachmentJournal.open(journal),
            this,
            this,
            this,
            _ -> Optional.empty(),
            new ReleaseQueue(Runnable::run),
            new DeletionQueue(journal.resolve("delq")),
            (_, _) -> Optional.empty())
        .steps();
  }

  @Override
  public List<IpAddress> hold(Attachment attachment, Wish wish) {
    wishes.add(wish);
    last++;
    List<IpAddress> fresh = new ArrayList<>(wish.addresses());
    for (IpFamily family : wish.families()) {
      fresh.add(
          IpAddress.parse(
              switch (family) {
                case IPV4 -> "10.65.0." + last;
                case IPV6 -> "fd00:65::" + Integer.toHexString(last);
              }));
    }
    handles.computeIfAbsent(attachment.handleId(), _ -> new ArrayList<>()).addAll(fresh);
    return fresh;
  }

  @Override
  public void publish(Attachment attachment, WorkloadEndpoint document) {
    endpoints.put(document.metadata().name(), document);
  }

  @Override
  public void withdraw(Attachment attachment) {
    endpoints
        .values()
        .removeIf(document -> Attachment.of(document).equals(Optional.of(attachment.id())));
  }

  @Override
  public void release(Attachment attachment) {
    handles.remove(attachment.handleId());
    withdraw(attachment);
  }

  @Override
  public void wireHere(Attachment attachment, List<IpAddress> addresses, InterfaceName podEnd) {
    wires.put(attachment.hostEnd(), attachment);
  }

  @Override
  public void unwire(AttachmentId id, Optional<InterfaceName> hostEnd) {
    wires.values().removeIf(wire -> wire.id().equals(id));
  }

  @Override
  public boolean isThere(Attachment attachment) {
    return wires.containsKey(attachment.hostEnd());
  }

  @Override
  public Applying begin(PodEndpoint endpoint) {
    return () -> {};
  }

  @Override
  public void remove(PodEndpoint endpoint) {}

  @Override
  public List<String> problems(PodEndpoint endpoint) {
    return List.of();
  }

  // Docker never asks for the rest.

  @Override
  public List<IpAddress> assign(
      Attachment attachment, Wish wish, Function<List<IpAddress>, WorkloadEndpoint> document) {
    throw new UnsupportedOperationException();
  }

  @Override
  public List<Lease> lease(Attachment attachment, Wish wish, List<IpAddress> gateways) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void release(String network, AttachmentId id) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Wire begin(Attachment attachment, OwnedFd podNetns) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void finish(
      Attachment attachment, Wire wire, List<IpAddress> addresses, OwnedFd podNetns) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void mend(Attachment attachment, List<IpAddress> addresses) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void equip(Attachment attachment) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void strip(Attachment attachment) {
    throw new UnsupportedOperationException();
  }

  @Override
  public List<String> equipmentProblems(Attachment attachment) {
    throw new UnsupportedOperationException();
  }

  @Override
  public ForeignWire find(InterfaceName ifName, OwnedFd podNetns) {
    throw new UnsupportedOperationException();
  }

  @Override
  public List<String> problems(Attachment attachment, List<IpAddress> addresses, OwnedFd podNetns) {
    throw new UnsupportedOperationException();
  }
}
