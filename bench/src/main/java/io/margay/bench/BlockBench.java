package io.margay.bench;

import io.margay.ipam.Block;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// Reading and writing the document of a full /26 block: what every assignment costs beside the
/// store.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class BlockBench {

  private static final String KEY = "/calico/ipam/v2/assignment/ipv4/block/10.65.0.0-26";
  private static final int SIZE = 64;

  private final String document = fullBlock();
  private final Block block = Block.parse(KEY, document);

  private static String fullBlock() {
    StringBuilder allocations = new StringBuilder();
    StringBuilder attributes = new StringBuilder();
    StringBuilder sequence = new StringBuilder();
    for (int i = 0; i < SIZE; i++) {
      String comma = i == 0 ? "" : ",";
      allocations.append(comma).append(i);
      attributes
          .append(comma)
          .append("{\"handle_id\":\"k8s-pod-network.c")
          .append(i)
          .append("\",\"secondary\":{\"namespace\":\"web\",\"node\":\"n1\",\"pod\":\"p")
          .append(i)
          .append("\",\"timestamp\":\"2026-11-23T00:00:00Z\"}}");
      sequence.append(comma).append('"').append(i).append("\":17").append(i);
    }
    return "{\"cidr\":\"10.65.0.0/26\",\"affinity\":\"host:n1\",\"allocations\":["
        + allocations
        + "],\"unallocated\":[],\"attributes\":["
        + attributes
        + "],\"sequenceNumber\":1700,\"sequenceNumberForAllocation\":{"
        + sequence
        + "},\"deleted\":false}";
  }

  /// Document to block.
  @Benchmark
  public Block read() {
    return Block.parse(KEY, document);
  }

  /// Block to document.
  @Benchmark
  public String write() {
    return block.toJson();
  }
}
