package io.margay.bench.bgp;

import io.margay.bgp.codec.UpdateWriter;
import io.margay.bgp.message.NextHop;
import io.margay.bgp.message.RouteAttributes;
import io.margay.bgp.message.Update;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
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

/// Routes to octets, without the RIB: nanoseconds per route, eight of which share their attributes.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class PackBench {

  private final List<Update> updates = FullTable.updates(65011);
  private final List<RouteAttributes> routes = routes(updates);
  private final UpdateWriter writer = new UpdateWriter(FullTable.SESSION);
  private final ByteBuf to = Unpooled.directBuffer(FullTable.ROUTES * 16);

  private static List<RouteAttributes> routes(List<Update> updates) {
    List<RouteAttributes> routes = new ArrayList<>();
    for (Update update : updates) {
      NextHop hop = NextHop.of(new Ipv4Address(0x0ac8_0102));
      routes.add(new RouteAttributes(update.attributes(), hop));
    }
    return routes;
  }

  @Benchmark
  @OperationsPerInvocation(FullTable.ROUTES)
  public int announce() {
    to.clear();
    for (int i = 0; i < updates.size(); i++) {
      writer.write(IpFamily.IPV4, routes.get(i), updates.get(i).announced(), to);
    }
    return to.writerIndex();
  }

  @Benchmark
  @OperationsPerInvocation(FullTable.ROUTES)
  public int withdraw() {
    to.clear();
    for (Update update : updates) {
      writer.write(IpFamily.IPV4, null, update.announced(), to);
    }
    return to.writerIndex();
  }
}
