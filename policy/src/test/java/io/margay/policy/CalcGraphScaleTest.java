package io.margay.policy;

import static io.margay.policy.testing.Things.NODE;
import static io.margay.policy.testing.Things.allowTcpTo;
import static io.margay.policy.testing.Things.namespace;
import static io.margay.policy.testing.Things.peer;
import static io.margay.policy.testing.Things.pod;
import static io.margay.policy.testing.Things.policy;
import static io.margay.policy.testing.Things.sel;
import static io.margay.policy.testing.Things.selecting;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.resource.PolicyType;
import io.margay.model.resource.Resource;
import io.margay.policy.testing.StrictState;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Work grows with what a change touches, not with the product of everything: printed, not
/// asserted.
class CalcGraphScaleTest {

  private static final int NAMESPACES = 100;
  private static final int PODS_PER_NAMESPACE = 100;
  private static final int POLICIES_PER_NAMESPACE = 5;
  private static final int LOCAL_SHARE = 100;

  @Test
  void ten_thousand_endpoints_and_five_hundred_policies() {
    List<Resource> resources = new ArrayList<>();
    for (int ns = 0; ns < NAMESPACES; ns++) {
      resources.add(namespace("ns-" + ns, "env=" + (ns % 2 == 0 ? "prod" : "dev"), "n=" + ns));
      for (int p = 0; p < POLICIES_PER_NAMESPACE; p++) {
        resources.add(
            policy(
                "ns-" + ns,
                "policy-" + p,
                selecting("app == 'app-" + p + "'")
                    .withTypes(List.of(PolicyType.values()))
                    .withIngress(
                        List.of(
                            allowTcpTo("80").withSource(peer("app == 'app-" + (p + 1) + "'")),
                            allowTcpTo("443")
                                .withSource(
                                    peer("app == 'app-0'")
                                        .withNamespaceSelector(sel("env == 'prod'")))))
                    .withEgress(List.of(allowTcpTo("53").withDestination(peer("has(app)"))))));
      }
    }
    for (int ns = 0; ns < NAMESPACES; ns++) {
      for (int i = 0; i < PODS_PER_NAMESPACE; i++) {
        int number = ns * PODS_PER_NAMESPACE + i;
        resources.add(
            pod(
                number % LOCAL_SHARE == 0 ? NODE : "node-" + number % LOCAL_SHARE,
                "ns-" + ns,
                "pod-" + i,
                List.of("kns.ns-" + ns),
                "10." + number / 65536 + "." + number / 256 % 256 + "." + number % 256,
                "app=app-" + i % 10,
                "tier=" + i % 3));
      }
    }

    CalcGraph graph = new CalcGraph(NODE);
    long start = System.nanoTime();
    resources.forEach(resource -> graph.onUpdate(resource.ref(), resource));
    graph.onInSync();
    StrictState dataplane = new StrictState();
    int[] updates = new int[1];
    graph.flush(
        update -> {
          updates[0]++;
          dataplane.state().accept(update);
        });
    report("policies first: " + resources.size() + " resources, " + updates[0] + " updates", start);

    CalcGraph other = new CalcGraph(NODE);
    start = System.nanoTime();
    resources.reversed().forEach(resource -> other.onUpdate(resource.ref(), resource));
    other.onInSync();
    StrictState reversed = new StrictState();
    other.flush(reversed.state());
    report("endpoints first", start);
    assertThat(reversed.state()).isEqualTo(dataplane.state());

    start = System.nanoTime();
    for (int ns = 0; ns < NAMESPACES; ns++) {
      Resource changed = namespace("ns-" + ns, "env=" + (ns % 2 == 0 ? "dev" : "prod"));
      graph.onUpdate(changed.ref(), changed);
      graph.flush(dataplane.state());
    }
    report(NAMESPACES + " namespaces relabelled, a flush each", start);

    start = System.nanoTime();
    for (int i = 0; i < 1_000; i++) {
      Resource moved =
          pod(
              "node-7",
              "ns-" + i % NAMESPACES,
              "pod-" + i % PODS_PER_NAMESPACE,
              List.of("kns.ns-" + i % NAMESPACES),
              "10.9." + i / 256 + "." + i % 256,
              "app=app-" + i % 10);
      graph.onUpdate(moved.ref(), moved);
      graph.flush(dataplane.state());
    }
    report("1000 endpoints changed, a flush each", start);
  }

  private static void report(String what, long startNanos) {
    System.out.println(what + ": " + (System.nanoTime() - startNanos) / 1_000_000 + " ms");
  }
}
