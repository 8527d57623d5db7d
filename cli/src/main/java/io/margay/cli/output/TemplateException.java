package io.margay.cli.output;

/// A template or path that can't be used; the message says where in it and why.
public final class TemplateException extends Exception {

  private static final long serialVersionUID = 1L;

  public TemplateException(String message) {
    super(message);
  }
}
