package io.margay.datastore.etcd;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.MethodDescriptor;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/// Gives every single call a deadline that the RPC layer itself enforces; streams (watches) have
/// none.
final class CallDeadlines implements ClientInterceptor {

  private static final String RANGE = "etcdserverpb.KV/Range";

  @Override
  public <Q, R> ClientCall<Q, R> interceptCall(
      MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
    if (method.getType() != MethodDescriptor.MethodType.UNARY || options.getDeadline() != null) {
      return next.newCall(method, options);
    }
    Duration limit =
        method.getFullMethodName().equals(RANGE)
            ? EtcdDatastore.PAGE_DEADLINE
            : EtcdDatastore.CALL_DEADLINE;
    return next.newCall(method, options.withDeadlineAfter(limit.toMillis(), TimeUnit.MILLISECONDS));
  }
}
