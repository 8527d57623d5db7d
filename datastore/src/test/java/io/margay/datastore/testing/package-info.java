/// **For**: tests of every room that needs a real etcd.
///
/// **In → out**: a directory → a private server on loopback, which can be killed and started again.
///
/// **Loop**: the caller's.
///
/// **May touch**: child processes of its own and the test's directory.
@NullMarked
package io.margay.datastore.testing;

import org.jspecify.annotations.NullMarked;
