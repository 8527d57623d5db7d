package io.margay.cli.resource;

import io.margay.cli.ExitCodes;
import java.io.PrintWriter;
import java.util.Set;
import java.util.TreeSet;

/// Counts how the writes of one command ended and says so: a line for each object as it is written,
/// and at the end calicoctl's line if all went well, else exactly what was done and what was not.
final class Tally {

  private final PrintWriter out;
  private final PrintWriter err;
  private final String verb;
  private final int all;
  private final Set<String> kinds = new TreeSet<>();
  private int done;
  private int refused;
  private int conflicts;

  /// @param verb what was to be done, in the past: `applied`
  /// @param all how many objects there are
  Tally(PrintWriter out, PrintWriter err, String verb, int all) {
    this.out = out;
    this.err = err;
    this.verb = verb;
    this.all = all;
  }

  /// @param kind what the object is
  /// @param name what lines call it
  /// @param where comes before a refusal: the document, or nothing
  void add(String kind, String name, String where, WriteOutcome outcome) {
    kinds.add(kind);
    switch (outcome) {
      case WriteOutcome.Done(String what) -> done(name + " " + what);
      case WriteOutcome.Unchanged() -> done(name + " unchanged");
      case WriteOutcome.Refused(String reason) -> {
        refused++;
        err.println(where + name + ": " + reason);
      }
      case WriteOutcome.Conflict(String reason) -> {
        conflicts++;
        err.println(where + name + ": " + reason);
      }
    }
    out.flush();
    err.flush();
  }

  /// One more that is as wanted.
  void done(String line) {
    done++;
    out.println(line);
  }

  /// Says what was done so far; the store failed at the next object.
  ///
  /// @param unknown whether that one may have been written nevertheless
  void interrupted(String at, boolean unknown) {
    err.println(
        at
            + (unknown
                ? ": may or may not have been written; get it before trying again"
                : ": was not written"));
    err.println(counts() + ", " + (all - done - refused - conflicts - 1) + " not tried");
    err.flush();
  }

  /// @return the exit code
  int end() {
    if (refused + conflicts == 0) {
      out.println(
          "Successfully "
              + verb
              + " "
              + done
              + (kinds.size() == 1 ? " '" + kinds.iterator().next() + "'" : "")
              + " resource(s)");
      out.flush();
      return ExitCodes.OK;
    }
    err.println(counts());
    err.flush();
    return refused > 0 ? ExitCodes.FAILED : ExitCodes.CONFLICT;
  }

  private String counts() {
    return "of " + all + ": " + done + " " + verb + ", " + (refused + conflicts) + " refused";
  }
}
