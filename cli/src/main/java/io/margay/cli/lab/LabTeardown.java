package io.margay.cli.lab;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// Takes a lab down, whatever state it is in: processes, namespaces (their links go with them),
/// files. Doing it twice is fine.
public final class LabTeardown {

  private static final Duration GRACE = Duration.ofSeconds(60);
  private static final Duration DEATH = Duration.ofSeconds(10);

  private LabTeardown() {}

  /// Removes lab `name` and all that is its own.
  ///
  /// @param graceful ends the agents with SIGTERM and waits for them first, so that they can finish
  ///   writing; otherwise everything is killed
  public static void down(String name, boolean graceful) throws LabException {
    if (!LabState.isLabName(name)) {
      throw new LabException("\"" + name + "\" can't be the name of a lab");
    }
    FileChannel lock = LabState.lock(name);
    try {
      downLocked(name, graceful);
      LabState.forgetLock(name);
    } catch (IOException failed) {
      throw new LabException("lab " + name + ": " + failed + "; try again", failed);
    } finally {
      release(lock, name);
    }
  }

  static void release(FileChannel lock, String name) throws LabException {
    try {
      lock.close();
    } catch (IOException failed) {
      throw new LabException("lab " + name + ": its lock can't be released: " + failed, failed);
    }
  }

  /// The same, by the holder of the lock.
  static void downLocked(String name, boolean graceful) throws LabException {
    Set<String> namespaces = new LinkedHashSet<>(LabState.namespaces(name).orElse(List.of()));
    namespaces.addAll(strays(name));
    if (graceful) {
      endAgents(name);
    }
    kill(name, namespaces);
    Namespaces.delete(namespaces);
    LabState.delete(LabState.home(name));
  }

  /// Namespaces that carry the lab's prefix though no manifest names them; those of a lab whose
  /// name begins with this one's are not ours.
  private static Set<String> strays(String name) throws LabException {
    String prefix = LabPlan.PREFIX + name + "-";
    Set<String> strays = new LinkedHashSet<>(Namespaces.startingWith(prefix));
    for (String other : LabState.names()) {
      if (other.startsWith(name + "-")) {
        strays.removeIf(namespace -> namespace.startsWith(LabPlan.PREFIX + other + "-"));
      }
    }
    return strays;
  }

  /// Asks the agents to end and waits: the rest of the rack must outlive them for that.
  private static void endAgents(String name) throws LabException {
    List<ProcessHandle> ending = LabState.started(name, "agent.pid");
    ending.forEach(ProcessHandle::destroy);
    long deadline = System.nanoTime() + GRACE.toNanos();
    while (ending.stream().anyMatch(ProcessHandle::isAlive) && System.nanoTime() < deadline) {
      Daemon.pause();
    }
  }

  private static void kill(String name, Collection<String> namespaces) throws LabException {
    long deadline = System.nanoTime() + DEATH.toNanos();
    List<ProcessHandle> left = living(name, namespaces);
    while (!left.isEmpty() && System.nanoTime() < deadline) {
      left.forEach(ProcessHandle::destroyForcibly);
      Daemon.pause();
      // Asked again each time: a process may have been forking while it was read.
      left = living(name, namespaces);
    }
    if (!left.isEmpty()) {
      throw new LabException(
          "processes "
              + left.stream().map(ProcessHandle::pid).toList()
              + " outlived SIGKILL; the namespaces stay. Try again");
    }
  }

  /// What runs in the namespaces, and what was started for the lab but has not got there yet.
  private static List<ProcessHandle> living(String name, Collection<String> namespaces)
      throws LabException {
    List<ProcessHandle> all = new ArrayList<>(Namespaces.processesIn(namespaces));
    all.addAll(LabState.started(name, "*.pid"));
    return all;
  }
}
