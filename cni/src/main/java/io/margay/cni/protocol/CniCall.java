package io.margay.cni.protocol;

import io.margay.linux.socket.OwnedFd;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/// A request in progress.
///
/// @param request what is asked
/// @param callerNetns the network namespace the plugin runs in; absent when replayed from the queue
/// @param podNetns the pod's; absent when it is gone, and DEL must do without. Closed by the server
///   after the reply
/// @param isAbandoned whether the client has gone, so that nobody will learn the result; of a
///   replayed one, whether it has been overtaken
public record CniCall(
    CniRequest request,
    Optional<OwnedFd> callerNetns,
    Optional<OwnedFd> podNetns,
    BooleanSupplier isAbandoned) {

  /// A request that came without a connection, such as a deletion queued on disk.
  public static CniCall replayed(CniRequest request, BooleanSupplier isAbandoned) {
    return new CniCall(request, Optional.empty(), Optional.empty(), isAbandoned);
  }
}
