/// **For**: making a distribution start fast; run by the build, never by a user.
///
/// **In → out**: a jar of the distribution → the same classes in a form the JVM can keep in its
/// ahead-of-time cache.
///
/// **Loop**: none; one run, one thread.
///
/// **May touch**: the jar it is given.
@NullMarked
package io.margay.cli.dist;

import org.jspecify.annotations.NullMarked;
