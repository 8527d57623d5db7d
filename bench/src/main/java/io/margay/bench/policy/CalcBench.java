package io.margay.bench.policy;

import io.margay.bench.policy.PolicyWorld.Document;
import io.margay.model.resource.Resource;
import io.margay.policy.CalcGraph;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/// What the calculation alone costs in a cluster of 20,000 endpoints and 2,000 policies: from a
/// resource to the updates for the dataplane.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class CalcBench {

  private static final PolicyWorld WORLD = new PolicyWorld(20_000, 2_000, 200);

  private final CalcGraph graph = new CalcGraph(PolicyWorld.NODE);
  private final Resource[] endpoints = new Resource[100];
  private final Resource[] policies = new Resource[2];
  private final Resource[] namespaces = new Resource[2];
  private int next;

  /// Everything in, and the versions between which the benches switch.
  @Setup
  public void load() {
    for (int i = 0; i < PolicyWorld.NAMESPACES; i++) {
      take(WORLD.namespace(i));
    }
    for (int i = 0; i < WORLD.policies(); i++) {
      take(WORLD.policy(i));
    }
    for (int i = 0; i < WORLD.endpoints(); i++) {
      take(WORLD.endpoint(i, 0));
    }
    graph.onInSync();
    graph.flush(_ -> {});
    int[] near = WORLD.remoteBesideLocal(10);
    for (int i = 0; i < endpoints.length; i++) {
      endpoints[i] = WORLD.endpoint(near[i % near.length], 1 + i / near.length).decode(1);
    }
    policies[0] = WORLD.policy(0).decode(1);
    policies[1] = WORLD.policy(0, 1).decode(1);
    namespaces[0] = WORLD.namespace(0).decode(1);
    namespaces[1] = WORLD.namespace(0, 1).decode(1);
  }

  private void take(Document document) {
    Resource resource = document.decode(1);
    graph.onUpdate(resource.ref(), resource);
  }

  private void change(Resource[] versions, Blackhole sink) {
    Resource resource = versions[next++ % versions.length];
    graph.onUpdate(resource.ref(), resource);
    graph.flush(sink::consume);
  }

  /// An endpoint of another node gets another label.
  @Benchmark
  public void label(Blackhole sink) {
    change(endpoints, sink);
  }

  /// A policy that local endpoints are under gets another rule.
  @Benchmark
  public void policy(Blackhole sink) {
    change(policies, sink);
  }

  /// A namespace changes from `prod` to `dev` and back, with its forty endpoints.
  @Benchmark
  public void namespace(Blackhole sink) {
    change(namespaces, sink);
  }
}
