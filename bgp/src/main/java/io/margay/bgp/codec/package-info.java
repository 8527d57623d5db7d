/// **For**: BGP messages as octets, both ways.
///
/// **In → out**: octets → a message and its RFC 7606 outcome; message → octets; routes → UPDATEs.
/// No exception leaves on account of a peer's octets, and what is allocated follows the size of the
/// message, never a length field in it.
///
/// **Loop**: stateless but for {@link FrameDecoder}, which the channel's loop owns, and {@link
/// UpdateWriter}, which the loop that writes a session's routes owns.
///
/// **May touch**: `bgp.message`, `model.net`, Netty buffers. Knows nothing of sessions.
@NullMarked
package io.margay.bgp.codec;

import org.jspecify.annotations.NullMarked;
