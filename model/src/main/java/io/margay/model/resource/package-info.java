/// **For**: the projectcalico.org/v3 resources, as stored, computed with and tested: one model.
///
/// **In → out**: parsed documents → immutable records, their defaults and their [FieldError]s.
///
/// **Loop**: none; pure values. JSON may hand a constructor null for what a document leaves out:
/// lists and maps become empty, a missing required field is refused, anything else is `@Nullable`.
///
/// **May touch**: `model.net`, `model.selector`, the JDK. No clock, no IO.
@NullMarked
package io.margay.model.resource;

import org.jspecify.annotations.NullMarked;
