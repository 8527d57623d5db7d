package io.margay.linux.nft;

import static io.margay.linux.nft.NftKernelContractTest.MEMBERS;
import static io.margay.linux.nft.NftKernelContractTest.TABLE;
import static io.margay.linux.nft.NftKernelContractTest.member;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// What only the kernel's notices do: they get lost, and they come in masses.
@Tag("netns")
final class KernelNftWatchTest {

  private static final NftTableName FOREIGN = new NftTableName(IpFamily.IPV4, "foreign");

  /// Their notices are more than any receive buffer takes.
  private static final int FLOOD = 200_000;

  private static List<NftElement> flood() {
    List<NftElement> elements = new ArrayList<>();
    IpAddress first = IpAddress.parse("10.0.0.0");
    for (int i = 0; i < FLOOD; i++) {
      elements.add(
          NftElement.of(NftData.concat(NftData.hostOrder(1), NftData.address(first.plus(i)))));
    }
    return elements;
  }

  @Test
  void lost_notices_are_as_suspicious_as_a_foreign_write() throws Exception {
    Semaphore alarm = new Semaphore(0);
    Semaphore gate = new Semaphore(0);
    try (NftNamespace namespace = new NftNamespace();
        NftKernel kernel = namespace.open();
        NftKernel other = namespace.open();
        NftWatch watch =
            kernel.watch(
                Set.of(TABLE),
                () -> {
                  alarm.release();
                  gate.acquireUninterruptibly();
                })) {
      kernel.commit(
          List.of(new NftOp.AddTable(TABLE, NftTenure.OPEN), new NftOp.AddSet(TABLE, MEMBERS)));
      other.commit(List.of(new NftOp.AddElements(TABLE, MEMBERS, List.of(member(1, "10.0.0.1")))));
      assertThat(alarm.tryAcquire(10, TimeUnit.SECONDS)).isTrue();
      assertThat(watch.take().suspicious()).isTrue();
      // Whoever hears is held up by the alarm while the notices pile up.
      other.commit(
          List.of(
              new NftOp.AddTable(FOREIGN, NftTenure.OPEN),
              new NftOp.AddSet(FOREIGN, MEMBERS),
              new NftOp.AddElements(FOREIGN, MEMBERS, flood())));
      gate.release();
      assertThat(alarm.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
      assertThat(watch.take().suspicious()).isTrue();
      // Its notices are lost as well, for the buffer is still full.
      other.commit(List.of(new NftOp.DeleteTable(TABLE)));
      gate.release(8);
      assertThat(alarm.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
      assertThat(watch.take().suspicious()).isTrue();
      // It hears again.
      other.commit(List.of(new NftOp.DeleteTable(FOREIGN)));
      NftWatch.Report report = NftKernelContractTest.heard(watch, all -> !all.harmless().isEmpty());
      assertThat(report.harmless()).containsExactly(kernel.generation());
    }
  }

  @Test
  void what_we_load_ourselves_is_not_heard_however_much_it_is() throws Exception {
    Semaphore alarm = new Semaphore(0);
    try (NftNamespace namespace = new NftNamespace();
        NftKernel kernel = namespace.open();
        NftKernel other = namespace.open();
        NftWatch watch = kernel.watch(Set.of(TABLE), alarm::release)) {
      kernel.commit(
          List.of(
              new NftOp.AddTable(TABLE, NftTenure.OPEN),
              new NftOp.AddSet(TABLE, MEMBERS),
              new NftOp.AddElements(TABLE, MEMBERS, flood())));
      other.commit(List.of(new NftOp.AddTable(FOREIGN, NftTenure.OPEN)));
      NftWatch.Report report = NftKernelContractTest.heard(watch, all -> !all.harmless().isEmpty());
      assertThat(report.harmless()).containsExactly(kernel.generation());
      assertThat(report.suspicious()).isFalse();
    }
  }
}
