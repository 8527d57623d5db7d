package io.margay.cli.lab;

/// Something outside failed while working on a lab: says what, on which object, and what happens
/// next.
public final class LabException extends Exception {

  private static final long serialVersionUID = 1L;

  public LabException(String message) {
    super(message);
  }

  public LabException(String message, Throwable cause) {
    super(message, cause);
  }
}
