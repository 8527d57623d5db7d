/// **For**: talking netlink: framing, attributes, batches with an error per message, dumps that
/// survive an interruption, notifications.
///
/// **In → out**: [io.margay.linux.netlink.NetlinkMessage]s → acknowledgements, failures by index,
/// answers.
///
/// **Loop**: a socket is used by one thread at a time; a listener has a reader thread of its own.
///
/// **May touch**: `io.margay.linux`, `io.margay.linux.netns`. Knows no family: rtnetlink, nf_tables
/// and ctnetlink are built on it.
@NullMarked
package io.margay.linux.netlink;

import org.jspecify.annotations.NullMarked;
