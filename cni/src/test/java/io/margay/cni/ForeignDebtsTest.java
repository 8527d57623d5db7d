package io.margay.cni;

import static io.margay.cni.VerbsBench.failed;
import static io.margay.cni.VerbsBench.pod;
import static io.margay.cni.VerbsBench.succeeded;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.cni.journal.Duty;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.protocol.CniReply;
import io.margay.cni.protocol.CniVariable;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.cni.spec.CniVerb;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What DEL owes to another plugin's IPAM that hangs, or is not there any more.
final class ForeignDebtsTest {

  private static final String NET = "{\"cniVersion\":\"1.0.0\",\"name\":\"net\"}";
  private static final String FOREIGN =
      "{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"ipam\":{\"type\":\"fake-ipam\"}}";

  /// Long enough for a shell to start a child.
  private static final Duration HANGING = Duration.ofSeconds(2);

  @TempDir Path directory;
  @TempDir Path bin;
  private Map<CniVariable, String> env = Map.of();

  @BeforeEach
  void install() throws IOException {
    Path plugin = bin.resolve("fake-ipam");
    Files.writeString(
        plugin,
        "#!/bin/sh\necho $CNI_COMMAND >> "
            + bin
            + "/calls\n[ $CNI_COMMAND = ADD ] && echo"
            + " '{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.9.0.5/24\"}]}'\nexit 0\n");
    Files.setPosixFilePermissions(plugin, PosixFilePermissions.fromString("rwxr-xr-x"));
    env = pod("c1");
    env.put(CniVariable.PATH, bin.toString());
  }

  private void uninstall() throws IOException {
    Files.delete(bin.resolve("fake-ipam"));
  }

  private List<String> calls() throws IOException {
    return Files.readAllLines(bin.resolve("calls"));
  }

  @Test
  void another_ipam_is_never_waited_for_by_who_repeats_releases() throws IOException {
    Queue<Runnable> waiting = new ArrayDeque<>();
    VerbsBench bench = new VerbsBench(directory, new ReleaseQueue(waiting::add));
    succeeded(bench.call("ADD", env, FOREIGN));
    succeeded(bench.call("ADD", pod("c2"), NET.replace("net", "own")));
    assertThat(bench.call("DEL", env, FOREIGN)).isEqualTo(CniReply.success(""));
    assertThat(bench.call("DEL", pod("c2"), NET.replace("net", "own")))
        .isEqualTo(CniReply.success(""));

    assertThat(bench.verbs.repeatReleases()).isEqualTo(1);
    assertThat(bench.verbs.repeatReleases()).isEqualTo(1);
    assertThat(calls()).containsExactly("ADD");
    assertThat(bench.journal.all())
        .as("the cluster's own is given back meanwhile")
        .singleElement()
        .satisfies(owed -> assertThat(owed.attachment().network()).isEqualTo("net"));

    waiting.forEach(Runnable::run);
    assertThat(calls()).containsExactly("ADD", "DEL");
    bench.assertNothingIsLeft();
  }

  @Test
  void what_a_missing_program_holds_keeps_nobody_from_an_address_of_the_cluster()
      throws IOException {
    VerbsBench bench = new VerbsBench(directory);
    uninstall();
    assertThat(bench.call("DEL", env, FOREIGN)).isEqualTo(CniReply.success(""));
    assertThat(bench.journal.all()).singleElement().isInstanceOf(JournalEntry.Releasing.class);
    succeeded(bench.call("ADD", pod("c1"), NET));
    assertThat(bench.call("DEL", pod("c1"), NET)).isEqualTo(CniReply.success(""));
    bench.assertNothingIsLeft();
  }

  @Test
  void what_is_the_clusters_own_goes_although_the_program_is_missing() throws IOException {
    VerbsBench bench = new VerbsBench(directory);
    succeeded(bench.call("ADD", env, FOREIGN));
    uninstall();
    assertThat(bench.call("DEL", env, FOREIGN)).isEqualTo(CniReply.success(""));
    assertThat(bench.addresses.endpoints).isEmpty();
    assertThat(bench.verbs.repeatReleases()).isEqualTo(1);
    failed(CniError.BAD_CONFIG, bench.call("ADD", env, FOREIGN));

    install();
    assertThat(bench.verbs.repeatReleases()).isZero();
    assertThat(calls()).containsExactly("ADD", "DEL");
    bench.assertNothingIsLeft();
  }

  @Test
  void the_same_ipam_is_asked_for_its_debt_before_it_gives_again() throws IOException {
    VerbsBench bench = new VerbsBench(directory);
    succeeded(bench.call("ADD", env, FOREIGN));
    uninstall();
    assertThat(bench.call("DEL", env, FOREIGN)).isEqualTo(CniReply.success(""));
    install();
    succeeded(bench.call("ADD", env, FOREIGN));
    assertThat(calls()).containsExactly("ADD", "DEL", "ADD");
  }

  @Test
  void while_the_datastore_owes_an_answer_as_well_an_add_is_refused() throws IOException {
    VerbsBench bench = new VerbsBench(directory);
    succeeded(bench.call("ADD", env, FOREIGN));
    uninstall();
    bench.addresses.awayForReleases = true;
    assertThat(bench.call("DEL", env, FOREIGN)).isEqualTo(CniReply.success(""));
    failed(CniError.TRY_LATER, bench.call("ADD", pod("c1"), NET));
  }

  @Test
  void a_program_that_hangs_is_ended_with_all_that_it_started_and_named() throws Exception {
    Path orphan = bin.resolve("orphan");
    Files.writeString(
        bin.resolve("fake-ipam"),
        "#!/bin/sh\n(sleep 4321 > /dev/null 2>&1 & echo $! > "
            + orphan
            + ".new; mv "
            + orphan
            + ".new "
            + orphan
            + ")\nexec sleep 4321\n");
    Duty.Delegate delegate = new Duty.Delegate("fake-ipam", bin.toString(), "", FOREIGN);
    Delegates delegates = new Delegates(HANGING, HANGING);
    assertThatThrownBy(() -> delegates.run(CniVerb.GC, delegate))
        .isInstanceOfSatisfying(
            CniException.class,
            failure -> {
              assertThat(failure.error().code()).isEqualTo(CniError.TRY_LATER);
              assertThat(failure.error().msg()).contains(bin + "/fake-ipam", "GC", "ended");
            });
    Optional<ProcessHandle> left =
        ProcessHandle.of(Long.parseLong(Files.readString(orphan).strip()));
    if (left.isPresent()) {
      left.get().onExit().get(10, TimeUnit.SECONDS);
    }
  }
}
