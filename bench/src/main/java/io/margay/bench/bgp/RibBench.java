package io.margay.bench.bgp;

import io.margay.bgp.codec.UpdateWriter;
import io.margay.bgp.message.Update;
import io.margay.bgp.rib.Rib;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// A route's way through the RIBs in its steps, each from where the one before left off:
/// nanoseconds per route. Every invocation has RIBs of its own.
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class RibBench {

  /// Messages to feed.
  @State(Scope.Benchmark)
  public static class Messages {
    final List<Update> first = FullTable.updates(65011);
    final List<Update> second = FullTable.updates(65012);
  }

  /// No routes yet.
  @State(Scope.Thread)
  public static class Empty {
    Rib rib = FullTable.rib();

    @Setup(Level.Invocation)
    public void raise() {
      rib = FullTable.rib();
    }
  }

  /// Every prefix with a path of each feeder, undecided.
  @State(Scope.Thread)
  public static class Filled {
    Rib rib = FullTable.rib();

    @Setup(Level.Invocation)
    public void raise(Messages messages) {
      rib = FullTable.rib();
      rib.update(FullTable.FEEDER, messages.first);
      rib.update(FullTable.OTHER_FEEDER, messages.second);
    }
  }

  /// Every prefix decided, the sink not told.
  @State(Scope.Thread)
  public static class Decided {
    final ByteBuf sent = Unpooled.buffer(FullTable.ROUTES * 16);
    Rib rib = FullTable.rib();

    @Setup(Level.Invocation)
    public void raise(Messages messages) {
      rib = FullTable.rib();
      rib.update(FullTable.FEEDER, messages.first);
      rib.settle();
      sent.clear();
    }
  }

  /// Import policy, attributes shared, path into the table: the first path of each prefix.
  @Benchmark
  @OperationsPerInvocation(FullTable.ROUTES)
  public Rib internAndInsert(Empty empty, Messages messages) {
    empty.rib.update(FullTable.FEEDER, messages.first);
    return empty.rib;
  }

  /// The winner of two paths.
  @Benchmark
  @OperationsPerInvocation(FullTable.ROUTES)
  public Object decide(Filled filled) {
    return filled.rib.settle();
  }

  /// Export policy, grouping by attributes, UPDATEs as octets.
  @Benchmark
  @OperationsPerInvocation(FullTable.ROUTES)
  public int pack(Decided decided) {
    UpdateWriter writer = new UpdateWriter(FullTable.SESSION);
    Optional<Rib.Batch> batch = decided.rib.nextBatch(FullTable.SINK);
    while (batch.isPresent()) {
      for (Rib.Group group : batch.get().groups()) {
        writer.write(group.family(), group.route(), group.nlri(), decided.sent);
      }
      batch = decided.rib.nextBatch(FullTable.SINK);
    }
    return decided.sent.writerIndex();
  }

  /// Every route of the only feeder goes.
  @Benchmark
  @OperationsPerInvocation(FullTable.ROUTES)
  public Object withdraw(Decided decided) {
    decided.rib.peerDown(FullTable.FEEDER, Set.of());
    return decided.rib.settle();
  }
}
