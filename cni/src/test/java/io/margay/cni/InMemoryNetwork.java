package io.margay.cni;

import static java.util.Comparator.comparing;

import io.margay.cni.journal.Attachment;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.linux.socket.OwnedFd;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CopyOnWriteArrayList;

/// Host ends by name.
final class InMemoryNetwork implements PodNetwork {

  final Map<String, Attachment> wires = new ConcurrentSkipListMap<>();
  final List<AttachmentId> mended = new CopyOnWriteArrayList<>();
  final Set<AttachmentId> equipped = new ConcurrentSkipListSet<>(comparing(AttachmentId::toString));
  Optional<ForeignWire> foreign = Optional.empty();
  boolean fails;
  boolean breaksOff;
  boolean isBlind;
  Optional<String> unwireFailure = Optional.empty();

  @Override
  public Wire begin(Attachment attachment, OwnedFd podNetns) throws CniException {
    if (fails) {
      throw new CniException(CniError.KERNEL_REFUSED, "the kernel refused");
    }
    wires.put(attachment.hostEnd().value(), attachment);
    return new Wire(1, 2);
  }

  @Override
  public void finish(Attachment attachment, Wire wire, List<IpAddress> addresses, OwnedFd podNetns)
      throws CniException {
    if (breaksOff) {
      wires.remove(attachment.hostEnd().value());
      throw new CniException(CniError.KERNEL_REFUSED, "the kernel refused to configure");
    }
    wires.put(attachment.hostEnd().value(), attachment);
  }

  @Override
  public void wireHere(Attachment attachment, List<IpAddress> addresses, InterfaceName podEnd)
      throws CniException {
    if (fails) {
      throw new CniException(CniError.KERNEL_REFUSED, "the kernel refused");
    }
    wires.put(attachment.hostEnd().value(), attachment);
  }

  @Override
  public void mend(Attachment attachment, List<IpAddress> addresses) {
    mended.add(attachment.id());
  }

  @Override
  public void unwire(AttachmentId id, Optional<InterfaceName> hostEnd) throws CniException {
    if (unwireFailure.isPresent()) {
      throw new CniException(CniError.KERNEL_REFUSED, unwireFailure.get());
    }
    wires
        .values()
        .removeIf(
            wire ->
                wire.id().equals(id)
                    && (hostEnd.isEmpty() || hostEnd.get().equals(wire.hostEnd())));
  }

  @Override
  public boolean isThere(Attachment attachment) throws CniException {
    if (isBlind) {
      throw new CniException(CniError.KERNEL_REFUSED, "the kernel does not say");
    }
    Attachment there = wires.get(attachment.hostEnd().value());
    return there != null && there.id().equals(attachment.id());
  }

  @Override
  public ForeignWire find(InterfaceName ifName, OwnedFd podNetns) throws CniException {
    return foreign.orElseThrow(
        () -> new CniException(CniError.BAD_CONFIG, "interface " + ifName + " can't be policed"));
  }

  @Override
  public List<String> problems(Attachment attachment, List<IpAddress> addresses, OwnedFd podNetns) {
    Attachment there = wires.get(attachment.hostEnd().value());
    return there != null && there.id().equals(attachment.id()) ? List.of() : List.of("no wire");
  }

  @Override
  public void equip(Attachment attachment) {
    equipped.add(attachment.id());
  }

  @Override
  public void strip(Attachment attachment) {
    equipped.remove(attachment.id());
  }

  @Override
  public List<String> equipmentProblems(Attachment attachment) {
    return equipped.contains(attachment.id()) ? List.of() : List.of("not equipped");
  }
}
