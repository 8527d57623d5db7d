/// **For**: the only native code of the product: libc calls, error numbers, and what a failed
/// kernel call looks like.
///
/// **In → out**: Java integers and direct buffers → system calls; a negative return → a checked
/// exception that names operation, object and error number.
///
/// **Loop**: none; every call runs on the calling thread and may block.
///
/// **May touch**: libc through JNR-FFI.
@NullMarked
package io.margay.linux;

import org.jspecify.annotations.NullMarked;
