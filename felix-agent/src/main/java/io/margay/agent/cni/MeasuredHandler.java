package io.margay.agent.cni;

import io.margay.agent.http.AgentMetrics;
import io.margay.cni.protocol.CniCall;
import io.margay.cni.protocol.CniHandler;
import io.margay.cni.protocol.CniReply;
import io.margay.cni.protocol.CniVariable;
import java.time.Duration;

/// Times every CNI request.
public final class MeasuredHandler implements CniHandler {

  private final CniHandler verbs;
  private final AgentMetrics metrics;

  public MeasuredHandler(CniHandler verbs, AgentMetrics metrics) {
    this.verbs = verbs;
    this.metrics = metrics;
  }

  @Override
  public CniReply handle(CniCall call) {
    long start = System.nanoTime();
    CniReply reply = verbs.handle(call);
    metrics.onCniRequest(
        call.request().get(CniVariable.COMMAND),
        reply.exitCode() == 0,
        Duration.ofNanos(System.nanoTime() - start));
    return reply;
  }
}
