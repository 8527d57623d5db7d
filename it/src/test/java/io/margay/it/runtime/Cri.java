package io.margay.it.runtime;

import com.fasterxml.jackson.databind.JsonNode;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// The calls a kubelet makes to give a pod its network, over a runtime's Unix socket. Field numbers
/// are those of `runtime.v1`.
final class Cri implements AutoCloseable {

  private static final int DEADLINE_SECONDS = 60;

  private final MultiThreadIoEventLoopGroup group =
      new MultiThreadIoEventLoopGroup(
          1, new DefaultThreadFactory("cri", true), EpollIoHandler.newFactory());
  private final ManagedChannel channel;

  Cri(Path socket) {
    channel =
        NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
            .channelType(EpollDomainSocketChannel.class)
            .eventLoopGroup(group)
            .overrideAuthority("localhost")
            .usePlaintext()
            .build();
  }

  /// @param protocol 0 TCP, 1 UDP, 2 SCTP
  record PortMapping(int protocol, int containerPort, int hostPort, String hostIp) {}

  /// What a kubelet says of a pod.
  record Sandbox(
      String namespace,
      String name,
      List<PortMapping> ports,
      Map<String, String> annotations,
      String cgroup) {

    private Wire encoded() {
      Wire dns =
          Wire.message()
              .text(1, "10.96.0.10")
              .text(2, "default.svc.cluster.local")
              .text(3, "ndots:5");
      Wire config =
          Wire.message()
              .message(1, Wire.message().text(1, name).text(2, "uid-" + name).text(3, namespace))
              .text(2, name)
              .message(4, dns);
      for (PortMapping port : ports) {
        config.message(
            5,
            Wire.message()
                .number(1, port.protocol())
                .number(2, port.containerPort())
                .number(3, port.hostPort())
                .text(4, port.hostIp()));
      }
      return config.map(7, annotations).message(8, Wire.message().text(1, cgroup));
    }
  }

  /// @param ready whether the sandbox is in the state SANDBOX_READY
  /// @param addresses the pod's, the first one first
  /// @param info what `verbose` adds: containerd's own view, as JSON
  record Status(boolean ready, List<String> addresses, JsonNode info) {}

  /// The runtime's conditions by name; a condition that is not met says why.
  Map<String, String> conditions() {
    Map<String, String> conditions = new LinkedHashMap<>();
    for (Wire condition : call("Status", Wire.message()).message(1).messages(1)) {
      conditions.put(
          condition.text(1),
          condition.number(2) == 1 ? "true" : condition.text(3) + ": " + condition.text(4));
    }
    return conditions;
  }

  /// @return the sandbox's id
  String run(Sandbox sandbox) {
    return call("RunPodSandbox", Wire.message().message(1, sandbox.encoded())).text(1);
  }

  Status status(String id) {
    Wire answer = call("PodSandboxStatus", Wire.message().text(1, id).number(2, 1));
    Wire status = answer.message(1);
    Wire network = status.message(5);
    List<String> addresses = new ArrayList<>(List.of(network.text(1)));
    network.messages(2).forEach(more -> addresses.add(more.text(1)));
    return new Status(
        status.number(3) == 0, addresses, Machine.parse(answer.map(2).getOrDefault("info", "{}")));
  }

  void stop(String id) {
    call("StopPodSandbox", Wire.message().text(1, id));
  }

  void remove(String id) {
    call("RemovePodSandbox", Wire.message().text(1, id));
  }

  private Wire call(String method, Wire request) {
    return Wire.decoded(
        ClientCalls.blockingUnaryCall(
            channel,
            MethodDescriptor.newBuilder(Octets.INSTANCE, Octets.INSTANCE)
                .setType(MethodDescriptor.MethodType.UNARY)
                .setFullMethodName("runtime.v1.RuntimeService/" + method)
                .build(),
            CallOptions.DEFAULT.withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS),
            request.encoded()));
  }

  @Override
  public void close() {
    channel.shutdownNow();
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
  }

  /// Messages go as they are.
  private enum Octets implements MethodDescriptor.Marshaller<byte[]> {
    INSTANCE;

    @Override
    public InputStream stream(byte[] message) {
      return new ByteArrayInputStream(message);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException broken) {
        throw new UncheckedIOException(broken);
      }
    }
  }
}
