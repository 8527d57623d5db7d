package io.margay.ipam.care;

import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.ipam.Block;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// Compares blocks, claims, handles, endpoints, nodes and pools with each other. Changes nothing.
///
/// Where there is no IPPool, or no Node, at all, nothing is said about what belongs to none: such a
/// store is being set up.
public final class IpamCheck {

  /// Where workload endpoints are.
  public static final String ENDPOINTS = IpamState.ENDPOINTS;

  private IpamCheck() {}

  /// Checks a store that may be in use: what two readings in a row agree on is reported. What can
  /// only be told by a clock is left out.
  public static IpamReport run(Datastore datastore) throws DatastoreException {
    return run(() -> IpamState.read(datastore), Optional.empty());
  }

  /// A way to read the state.
  @FunctionalInterface
  public interface Reading {
    IpamState read() throws DatastoreException;
  }

  /// Checks a store that may be in use: what two readings in a row agree on is reported.
  ///
  /// @param now lets what is late be told
  public static IpamReport run(Reading reading, Optional<Instant> now) throws DatastoreException {
    IpamReport first = check(reading.read(), now);
    if (first.findings().isEmpty()) {
      return first;
    }
    IpamReport second = check(reading.read(), now);
    return new IpamReport(
        second.usage(),
        second.handleCount(),
        second.findings().stream()
            .filter(finding -> first.findings().stream().anyMatch(finding::says))
            .toList());
  }

  /// Checks documents that are true at one moment.
  ///
  /// @param items everything IPAM keeps, and resources; other keys are passed over
  public static IpamReport check(Collection<KeyValue> items) {
    return check(IpamState.of(items), Optional.empty());
  }

  /// Checks one reading of the state.
  public static IpamReport check(IpamState state, Optional<Instant> now) {
    List<Finding> findings = new ArrayList<>();
    state.unreadable.forEach(
        document ->
            findings.add(
                Finding.unfixable(
                    FindingKind.UNREADABLE,
                    document.key(),
                    document.reason(),
                    "none: only a person can say what it should be; write it anew, or delete it")));
    BlockChecks.check(state, now, findings::add);
    ClaimChecks.check(state, findings::add);
    HandleChecks.check(state, findings::add);
    EndpointChecks.check(state, findings::add);
    findings.sort(Comparator.comparing(Finding::kind));
    return new IpamReport(
        state.blocks.values().stream().map(block -> usage(block.value())).toList(),
        state.handles.size(),
        findings);
  }

  private static IpamReport.BlockUsage usage(Block block) {
    int allocated = block.allocated().size();
    return new IpamReport.BlockUsage(
        block.cidr(),
        block.affinity(),
        block.size(),
        allocated,
        block.resting().size(),
        block.size() - allocated - block.resting().size());
  }
}
