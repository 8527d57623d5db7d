package io.margay.ipam.care;

import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.ipam.Ipam;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.Pools;
import io.margay.ipam.Release;
import io.margay.ipam.ReleaseResult;
import io.margay.ipam.Unreadable;
import io.margay.model.net.IpAddress;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;

/// Frees what every one of several reports calls unused. The datastore is locked meanwhile, and
/// each address is freed only under the handle and the sequence number the reports name: what has
/// been assigned anew since is left alone.
public final class ReportRelease {

  /// How it ended.
  public sealed interface Result {

    /// @param released addresses freed
    /// @param already addresses that were free, or somebody else's by now
    /// @param left addresses that stay, for the block around them can't be read
    /// @param handles empty handles deleted
    record Done(int released, int already, SortedMap<IpAddress, Unreadable> left, int handles)
        implements Result {
      public Done {
        left = Collections.unmodifiableSortedMap(new TreeMap<>(left));
      }
    }

    /// Nothing was freed.
    record Refused(String reason) implements Result {}
  }

  private ReportRelease() {}

  /// @param reports at least one
  /// @param version of this program
  /// @param force although the datastore is not locked, or another version made a report
  public static Result run(
      Datastore datastore,
      InstantSource clock,
      List<AllocationReport> reports,
      String version,
      boolean force)
      throws DatastoreException {
    IpamState state = IpamState.read(datastore);
    Optional<String> refusal = refusal(state.cluster, reports, version, force);
    if (refusal.isPresent()) {
      return new Result.Refused(refusal.get());
    }
    int released = 0;
    int already = 0;
    SortedMap<IpAddress, AllocationReport.Allocation> unused = commonlyUnused(reports);
    // An endpoint that came since the reports is a user all the same.
    unused.keySet().removeIf(address -> !state.usesOf(address).isEmpty());
    SortedMap<IpAddress, Unreadable> left = new TreeMap<>();
    unused
        .keySet()
        .forEach(
            address ->
                state.unreadableAround(address).ifPresent(block -> left.put(address, block)));
    unused.keySet().removeAll(left.keySet());
    List<Release> releases = new ArrayList<>();
    unused.forEach(
        (address, allocation) ->
            releases.add(
                new Release(
                    address,
                    Optional.of(allocation.handle()).filter(handle -> !handle.isEmpty()),
                    OptionalLong.of(allocation.sequenceNumber()))));
    try (Ipam ipam = new Ipam(datastore, clock, Pools.none())) {
      for (ReleaseResult result : ipam.releaseIps(releases)) {
        switch (result) {
          case ReleaseResult.Released(List<IpAddress> addresses) -> {
            released += addresses.size();
            already += addresses.isEmpty() ? 1 : 0;
          }
          case ReleaseResult.Refused _ -> already++;
          case ReleaseResult.ExtraConflict _ -> throw new IllegalStateException("nothing extra");
        }
      }
    }
    return new Result.Done(released, already, left, deleteHandles(datastore, reports));
  }

  private static Optional<String> refusal(
      IpamState.Cluster cluster, List<AllocationReport> reports, String version, boolean force) {
    for (AllocationReport report : reports) {
      if (!report.cluster().guid().equals(cluster.guid())) {
        return Optional.of(
            "a report is of cluster \""
                + report.cluster().guid()
                + "\", this is \""
                + cluster.guid()
                + "\"; not even --force helps");
      }
      if (!report.version().equals(version) && !force) {
        return Optional.of(
            "a report was made by version \""
                + report.version()
                + "\", this is \""
                + version
                + "\"; make it anew, or --force");
      }
    }
    if (reports.stream().noneMatch(report -> report.cluster().revision() == cluster.revision())) {
      return Optional.of(
          "all reports are older than the last change of ClusterInformation; lock the datastore,"
              + " make a new report and add it");
    }
    return cluster.locked() || force
        ? Optional.empty()
        : Optional.of("the datastore is not locked; `margay datastore lock` first, or --force");
  }

  private static SortedMap<IpAddress, AllocationReport.Allocation> commonlyUnused(
      List<AllocationReport> reports) {
    SortedMap<IpAddress, AllocationReport.Allocation> unused = new TreeMap<>();
    reports.getFirst().unused().forEach(one -> unused.put(one.address(), one));
    for (AllocationReport report : reports) {
      Map<IpAddress, AllocationReport.Allocation> here = new TreeMap<>();
      report.unused().forEach(one -> here.put(one.address(), one));
      unused
          .entrySet()
          .removeIf(
              entry -> {
                AllocationReport.Allocation other = here.get(entry.getKey());
                return other == null
                    || !other.handle().equals(entry.getValue().handle())
                    || other.sequenceNumber() != entry.getValue().sequenceNumber();
              });
    }
    return unused;
  }

  private static int deleteHandles(Datastore datastore, List<AllocationReport> reports)
      throws DatastoreException {
    Map<String, Long> leaked = new TreeMap<>(reports.getFirst().leakedHandles());
    reports.forEach(report -> leaked.entrySet().retainAll(report.leakedHandles().entrySet()));
    int deleted = 0;
    for (Map.Entry<String, Long> handle : leaked.entrySet()) {
      Optional<KeyValue> stored = datastore.get(IpamKeys.handle(handle.getKey()));
      if (stored.isPresent()
          && stored.get().modRevision() == handle.getValue()
          && datastore.commit(Txn.delete(stored.get())) instanceof CommitResult.Committed) {
        deleted++;
      }
    }
    return deleted;
  }
}
