package io.margay.bench.bgp;

import io.netty.buffer.ByteBuf;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/// Octets to messages, framing included: nanoseconds per route, an eighth of an UPDATE.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class DecodeBench {

  /// As much as the loop reads from a socket at once.
  private static final int READ_OCTETS = 64 * 1024;

  private final ByteBuf table = FullTable.octets(65011);
  private final EmbeddedChannel channel = FullTable.reader();

  @Benchmark
  @OperationsPerInvocation(FullTable.ROUTES)
  public void decode(Blackhole hole) {
    for (int at = 0; at < table.writerIndex(); at += READ_OCTETS) {
      channel.writeInbound(
          table.retainedSlice(at, Math.min(READ_OCTETS, table.writerIndex() - at)));
      for (Object read = channel.readInbound(); read != null; read = channel.readInbound()) {
        hole.consume(read);
      }
    }
  }
}
