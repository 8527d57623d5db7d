package io.margay.it.bgp;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/// The row of the matrix a test fills. Its column is the test's argument of type [Daemon], or `by`.
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@interface Feature {

  String value();

  /// For tests without a [Daemon] argument.
  Daemon[] by() default {};

  /// Daemons that lack the feature, each with what it lacks: `GOBGP: sends no ROUTE-REFRESH`.
  String[] cannot() default {};
}
