package io.margay.agent.cni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.cni.PodAddresses;
import io.margay.cni.journal.Attachment;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.resource.WorkloadEndpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class MigrationGateTest {

  private static final AttachmentId ID = new AttachmentId("c1", new InterfaceName("eth0"));

  private final List<AttachmentId> released = new ArrayList<>();
  private final AtomicBoolean ready = new AtomicBoolean(true);
  private final MigrationGate gate = new MigrationGate(new Recording(), ready::get);

  @Test
  void a_locked_datastore_holds_releases_back_until_it_is_unlocked() throws Exception {
    ready.set(false);
    assertThatThrownBy(() -> gate.release("net", ID))
        .isInstanceOf(CniException.class)
        .hasMessageContaining("locked for a migration")
        .extracting(refused -> ((CniException) refused).error().code())
        .isEqualTo(CniError.TRY_LATER);
    assertThat(released).isEmpty();

    ready.set(true);
    gate.release("net", ID);
    assertThat(released).containsExactly(ID);
  }

  private final class Recording implements PodAddresses {
    @Override
    public List<IpAddress> assign(
        Attachment attachment, Wish wish, Function<List<IpAddress>, WorkloadEndpoint> document) {
      return List.of();
    }

    @Override
    public List<IpAddress> hold(Attachment attachment, Wish wish) {
      return List.of();
    }

    @Override
    public List<Lease> lease(Attachment attachment, Wish wish, List<IpAddress> gateways) {
      return List.of();
    }

    @Override
    public void publish(Attachment attachment, WorkloadEndpoint document) {}

    @Override
    public void withdraw(Attachment attachment) {
      released.add(attachment.id());
    }

    @Override
    public void release(Attachment attachment) {
      released.add(attachment.id());
    }

    @Override
    public void release(String network, AttachmentId id) {
      released.add(id);
    }
  }
}
