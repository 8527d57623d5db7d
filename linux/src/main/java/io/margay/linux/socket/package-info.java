/// **For**: Unix stream sockets that carry file descriptors and tell who is at the other end;
/// datagrams to a service manager; names that one process of a network namespace holds.
///
/// **In → out**: a path → accepted connections; octets and descriptors in, octets and descriptors
/// out; text → one datagram.
///
/// **Loop**: none; a connection belongs to one platform thread at a time, a listener to the one
/// that accepts.
///
/// **May touch**: `linux.LibC` and the file system entry of the socket. Knows nothing of what is
/// said over it.
@NullMarked
package io.margay.linux.socket;

import org.jspecify.annotations.NullMarked;
