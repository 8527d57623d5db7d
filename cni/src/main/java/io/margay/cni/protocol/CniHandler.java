package io.margay.cni.protocol;

/// Who answers requests. Called on a server thread, concurrently; may block.
@FunctionalInterface
public interface CniHandler {

  /// Answers every request: what goes wrong is told in the reply.
  CniReply handle(CniCall call);
}
