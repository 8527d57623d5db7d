package io.margay.agent.care;

import io.margay.cni.PodNamespace;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.Duty;
import io.margay.cni.journal.JournalEntry;
import io.margay.ipam.care.NodeWitness;
import io.margay.linux.route.Link;
import io.margay.linux.route.Links;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What this node can say of its pods. An attachment counts as here while it is being made or
/// deleted, while its wire is in the kernel, and while its namespace is alive.
final class LocalWitness {

  private static final Logger LOG = LoggerFactory.getLogger(LocalWitness.class);

  private static final String ALIAS = "margay:";

  private final String node;
  private final AttachmentJournal journal;
  private final Path journalDirectory;
  private final Links links;

  LocalWitness(String node, AttachmentJournal journal, Path journalDirectory, Links links) {
    this.node = node;
    this.journal = journal;
    this.journalDirectory = journalDirectory;
    this.links = links;
  }

  /// Looks now. The kernel is asked before the journal: an attachment that is made meanwhile is in
  /// the journal before anything of it exists.
  NodeWitness look() {
    Set<String> containers = new HashSet<>();
    Set<String> interfaces = new HashSet<>();
    boolean isComplete = true;
    try {
      for (Link link : links.list()) {
        interfaces.add(link.name().value());
        containerOf(link.alias()).ifPresent(containers::add);
      }
      isComplete = !holdsUnreadable();
    } catch (IOException refused) {
      LOG.atWarn()
          .addKeyValue("reason", refused.getMessage())
          .log("this node can't witness which pods it has; their addresses are kept");
      isComplete = false;
    }
    Set<String> handles = new HashSet<>();
    for (JournalEntry entry : journal.all()) {
      boolean isHere =
          switch (entry) {
            case JournalEntry.Prepared _, JournalEntry.Releasing _ -> true;
            // An endpoint of Docker's that is no more, self-reclaim takes out of the journal.
            case JournalEntry.Committed committed ->
                committed.attachment().duty() instanceof Duty.Stepwise
                    || PodNamespace.isAlive(committed.attachment());
          };
      if (isHere) {
        handles.add(entry.attachment().handleId());
      }
    }
    return new NodeWitness(node, handles, containers, interfaces, isComplete);
  }

  /// The container of a host end of ours: its alias is `margay:<containerID>/<ifname>`.
  static Optional<String> containerOf(String alias) {
    int slash = alias.indexOf('/');
    return alias.startsWith(ALIAS) && slash > ALIAS.length()
        ? Optional.of(alias.substring(ALIAS.length(), slash))
        : Optional.empty();
  }

  /// An entry that was set aside stands for a pod nobody knows.
  private boolean holdsUnreadable() throws IOException {
    try (DirectoryStream<Path> aside = Files.newDirectoryStream(journalDirectory, "*.bad")) {
      return aside.iterator().hasNext();
    }
  }
}
