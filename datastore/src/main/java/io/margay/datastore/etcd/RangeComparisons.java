package io.margay.datastore.etcd;

import com.google.protobuf.ByteString;
import io.etcd.jetcd.api.Compare;
import io.etcd.jetcd.api.CompareOrBuilder;
import io.etcd.jetcd.api.TxnRequest;
import io.etcd.jetcd.op.Cmp;
import io.etcd.jetcd.op.CmpTarget;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall;
import io.grpc.MethodDescriptor;
import io.margay.datastore.Txn;

/// Comparisons of all keys that start with a prefix. etcd has them (Compare.range_end, since 3.3;
/// with no such key, the revision compared is 0), the library does not: its comparison is of one
/// key. So one is made for the prefix itself, of a form that no other has, and becomes one of the
/// range on its way out.
final class RangeComparisons implements ClientInterceptor {

  /// True if no key of the condition's prefix has been put since its revision.
  static Cmp of(Txn.Condition.Unchanged condition) {
    return new Cmp(
        EtcdDatastore.bytes(condition.prefix()),
        Cmp.Op.LESS,
        CmpTarget.modRevision(condition.revision() + 1));
  }

  @Override
  public <Q, R> ClientCall<Q, R> interceptCall(
      MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
    return new ForwardingClientCall.SimpleForwardingClientCall<>(next.newCall(method, options)) {
      @Override
      @SuppressWarnings("unchecked") // A TxnRequest for a TxnRequest.
      public void sendMessage(Q message) {
        super.sendMessage(message instanceof TxnRequest txn ? (Q) ranged(txn) : message);
      }
    };
  }

  private static TxnRequest ranged(TxnRequest txn) {
    if (txn.getCompareList().stream().noneMatch(RangeComparisons::isOfRange)) {
      return txn;
    }
    TxnRequest.Builder ranged = txn.toBuilder();
    for (Compare.Builder comparison : ranged.getCompareBuilderList()) {
      if (isOfRange(comparison)) {
        comparison.setRangeEnd(behind(comparison.getKey()));
      }
    }
    return ranged.build();
  }

  private static boolean isOfRange(CompareOrBuilder comparison) {
    return comparison.getResult() == Compare.CompareResult.LESS;
  }

  /// The first key behind all that start with a prefix, which ends in a slash.
  private static ByteString behind(ByteString prefix) {
    int last = prefix.size() - 1;
    return prefix
        .substring(0, last)
        .concat(ByteString.copyFrom(new byte[] {(byte) (prefix.byteAt(last) + 1)}));
  }
}
