package io.margay.cli.doctor;

/// What one check found.
///
/// @param check its name, for scripts
/// @param what was found, on which object
/// @param why it matters; empty if all is well
/// @param fix what to do; empty if there is nothing to do
record Finding(Severity severity, String check, String what, String why, String fix) {

  enum Severity {
    OK,
    /// Works, with a disadvantage, or may stand in the way.
    WARNING,
    /// Does not work.
    ERROR
  }

  static Finding ok(String check, String what) {
    return new Finding(Severity.OK, check, what, "", "");
  }

  static Finding warning(String check, String what, String why, String fix) {
    return new Finding(Severity.WARNING, check, what, why, fix);
  }

  static Finding error(String check, String what, String why, String fix) {
    return new Finding(Severity.ERROR, check, what, why, fix);
  }
}
