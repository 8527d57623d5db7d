/// **For**: tests of other rooms: a kernel without a kernel, and one that behaves otherwise in a
/// point.
///
/// **In → out**: route changes → the routes, refusals and error numbers the real kernel would show.
///
/// **Loop**: the caller's.
///
/// **May touch**: `io.margay.linux.route`, `io.margay.linux.nft`. Nothing outside tests may depend
/// on this.
@NullMarked
package io.margay.linux.testing;

import org.jspecify.annotations.NullMarked;
