/// **For**: BGP messages as octets, both ways.
///
/// **In → out**: octets → a message and its RFC 7606 outcome; message → octets. No exception leaves
/// on account of a peer's octets, and nothing is allocated beyond the size of the message.
///
/// **Loop**: stateless but for {@link FrameDecoder}, which the channel's loop owns.
///
/// **May touch**: `bgp.message`, `model.net`, Netty buffers. Knows nothing of sessions.
@NullMarked
package io.margay.bgp.codec;

import org.jspecify.annotations.NullMarked;
