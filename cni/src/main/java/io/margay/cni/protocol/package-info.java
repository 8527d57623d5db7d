/// **For**: the conversation between the CNI client and the agent: one request, one reply, over one
/// connection.
///
/// **In → out**: frames with descriptors → requests for a handler; its replies → frames.
///
/// **Loop**: one accepting thread, and a bounded pool of platform threads, one per request.
///
/// **May touch**: `linux.socket`. Knows nothing of networks; the environment and standard input
/// pass as they are.
///
/// ```text
/// frame  = "MGYC" version:1 oldest:1 kind:2 length:4 field*          (numbers big-endian; length = octets of all fields)
/// field  = type:2 reserved:2 length:4 octets                         (unknown types are skipped, so fields may be added)
/// kind 1 = request: fields 1-10 environment (CniVariable), 16 standard input, 17 program name;
///          with the first octet come 0 to 2 descriptors: the client's network namespace, the pod's
/// kind 2 = reply: 1 exit code (4 octets), 2 standard output, 3 standard error
/// ```
///
/// `version` is what the sender speaks, `oldest` the oldest it understands: each side refuses what
/// it can't, and clients and agents one release apart understand each other. The C side is
/// `cni/src/main/c/margay-cni.c`.
@NullMarked
package io.margay.cni.protocol;

import org.jspecify.annotations.NullMarked;
