/// **For**: Unix stream sockets that carry file descriptors and tell who is at the other end.
///
/// **In → out**: a path → accepted connections; octets and descriptors in, octets and descriptors
/// out.
///
/// **Loop**: none; a connection belongs to one platform thread at a time, a listener to the one
/// that accepts.
///
/// **May touch**: `linux.LibC` and the file system entry of the socket. Knows nothing of what is
/// said over it.
@NullMarked
package io.margay.linux.socket;

import org.jspecify.annotations.NullMarked;
