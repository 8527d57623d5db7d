/// **For**: the failure matrix of the CNI: what is killed, torn down or given wrongly, and that
/// nothing stays behind.
///
/// **In → out**: the built client and agent on one node of a lab, killed and misused → what an
/// independent checker finds in kernel, etcd and files.
///
/// **Loop**: none.
///
/// **May touch**: a lab it raised itself, namespaces it made itself, processes it started itself.
@NullMarked
package io.margay.it.cni;

import org.jspecify.annotations.NullMarked;
