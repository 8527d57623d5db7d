/// **For**: what this node did for each attachment, so that a process without memory can finish,
/// answer or undo it.
///
/// **In → out**: entries → one small file each, written atomically; files → entries at start.
///
/// **Loop**: whoever works on the attachment; there is one such thread at a time.
///
/// **May touch**: the files below the journal's directory. No network, no kernel state.
@NullMarked
package io.margay.cni.journal;

import org.jspecify.annotations.NullMarked;
