package io.margay.cli.demo;

/// Something was not as the demo promises: what, and what was seen instead.
final class DemoException extends Exception {

  private static final long serialVersionUID = 1L;

  DemoException(String message) {
    super(message);
  }
}
