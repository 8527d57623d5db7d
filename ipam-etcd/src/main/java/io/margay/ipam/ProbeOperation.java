package io.margay.ipam;

import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import java.util.List;
import java.util.Map;

/// An assignment that is planned and never committed. Pools for some namespaces only count: what is
/// asked is whether any pod could have an address.
final class ProbeOperation extends Operation<AssignResult> {

  /// Of no pod; pools are asked as if they chose it.
  private static final AssignTerms ANY_NAMESPACE = AssignTerms.pod("");

  private final AssignOperation probed;

  ProbeOperation(AssignRequest request) {
    probed = new AssignOperation(request.with(ANY_NAMESPACE));
  }

  @Override
  Step plan(View view, Plan shared) {
    Step step =
        probed.plan(new View(view.pools().forAnyNamespace(), view.live(), view.now()), shared);
    return switch (step) {
      case Step.Planned _ -> {
        finish(new AssignResult.Assigned(List.of(), 0));
        yield new Step.Finished();
      }
      case Step.Finished _ -> {
        finish(probed.result().join());
        yield step;
      }
      case Step.Later _, Step.Needs _ -> step;
    };
  }

  @Override
  void arrived(long tick) {
    super.arrived(tick);
    probed.arrived(tick);
  }

  @Override
  void replan() {
    probed.replan();
  }

  @Override
  void committed(long revision) {
    throw new IllegalStateException("a probe is never committed");
  }

  @Override
  List<Txn.Condition> extraConditions() {
    return List.of();
  }

  @Override
  void refused(Map<String, KeyValue> current) {
    throw new IllegalStateException("a probe is never committed");
  }
}
