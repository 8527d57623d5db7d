package io.margay.cni;

import static io.margay.cni.VerbsBench.pod;
import static io.margay.cni.VerbsBench.succeeded;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.cni.journal.JournalEntry;
import io.margay.cni.protocol.CniReply;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.MacAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The agent dies before or after each thing it does outside itself, with only the journal between
/// them; the next process leaves nothing behind, and whole what was committed.
final class CrashPointsTest {

  private static final String PREVIOUS =
      ",\"prevResult\":{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.5.0.1/16\"}]}";

  /// What is asked of us.
  enum Role {
    WHOLE("margay-cni", "", Set.of("assign", "begin", "finish", "unwire", "remove", "release")),
    CHAINED("margay-cni", PREVIOUS, Set.of("find", "publish", "apply", "remove", "withdraw")),
    IPAM("margay-ipam", "", Set.of("lease", "release"));

    private final String program;
    private final String conf;
    private final Set<String> acts;

    Role(String program, String more, Set<String> acts) {
      this.program = program;
      this.conf = "{\"cniVersion\":\"1.0.0\",\"name\":\"net\"" + more + "}";
      this.acts = acts;
    }
  }

  @TempDir Path directory;
  private final Set<String> reached = new TreeSet<>();
  private int life;

  private VerbsBench fresh(Mortality mortality) throws IOException {
    Path journal = Files.createDirectory(directory.resolve("life" + life++));
    VerbsBench bench =
        new VerbsBench(
            journal,
            new ReleaseQueue(Runnable::run),
            new InMemoryAddresses(),
            new InMemoryNetwork(),
            mortality);
    bench.network.foreign =
        Optional.of(
            new PodNetwork.ForeignWire(
                new InterfaceName("veth1234"), MacAddress.parse("02:00:00:00:00:09"), 1400));
    return bench;
  }

  /// The next process on the same node: kernel, datastore and journal are as the last one left
  /// them; policy starts anew.
  private static VerbsBench restarted(VerbsBench dead) throws IOException {
    VerbsBench next =
        new VerbsBench(
            dead.directory,
            new ReleaseQueue(Runnable::run),
            dead.addresses,
            dead.network,
            Mortality.NONE);
    next.verbs.recover();
    assertThat(next.verbs.repeatReleases()).isZero();
    return next;
  }

  private static CniReply call(VerbsBench bench, String verb, Role role) throws IOException {
    return bench.call(role.program, verb, pod("c1"), role.conf);
  }

  /// @return whether it died
  private boolean dies(VerbsBench bench, String verb, Role role, Mortality mortality)
      throws IOException {
    try {
      call(bench, verb, role);
      return false;
    } catch (Mortality.Died death) {
      return true;
    } catch (CompletionException onAnotherThread) {
      assertThat(onAnotherThread).hasCauseInstanceOf(Mortality.Died.class);
      return true;
    } finally {
      reached.addAll(mortality.acts());
    }
  }

  private static void requireWholeOrGone(VerbsBench bench, Role role) {
    if (bench.journal.all().isEmpty()) {
      bench.assertNothingIsLeft();
      return;
    }
    assertThat(bench.journal.all()).singleElement().isInstanceOf(JournalEntry.Committed.class);
    assertThat(bench.network.wires).hasSize(role == Role.WHOLE ? 1 : 0);
    assertThat(bench.addresses.handles).hasSize(role == Role.CHAINED ? 0 : 1);
    assertThat(bench.addresses.endpoints).hasSize(role == Role.IPAM ? 0 : 1);
  }

  @ParameterizedTest
  @EnumSource
  void an_add_that_dies_anywhere_leaves_all_or_nothing_and_can_be_repeated(Role role)
      throws IOException {
    boolean died = true;
    for (int point = 0; died; point++) {
      Mortality mortality = new Mortality(point);
      VerbsBench bench = fresh(mortality);
      died = dies(bench, "ADD", role, mortality);
      VerbsBench next = restarted(bench);
      requireWholeOrGone(next, role);
      succeeded(call(next, "ADD", role));
      assertThat(call(next, "DEL", role)).isEqualTo(CniReply.success(""));
      next.assertNothingIsLeft();
    }
  }

  @ParameterizedTest
  @EnumSource
  void a_del_that_dies_anywhere_is_finished_by_the_next_process_and_its_repetition(Role role)
      throws IOException {
    boolean died = true;
    for (int point = 0; died; point++) {
      Mortality mortality = new Mortality(Integer.MAX_VALUE);
      VerbsBench bench = fresh(mortality);
      succeeded(call(bench, "ADD", role));
      mortality.dieAt(point);
      died = dies(bench, "DEL", role, mortality);
      VerbsBench next = restarted(bench);
      assertThat(call(next, "DEL", role)).isEqualTo(CniReply.success(""));
      next.assertNothingIsLeft();
    }
    assertThat(reached).containsAll(role.acts);
  }
}
