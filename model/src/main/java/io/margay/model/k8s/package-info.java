/// **For**: Kubernetes documents, translated once into the resources everything else works with.
///
/// **In → out**: NetworkPolicy, Namespace and ServiceAccount records → `model.resource` records.
///
/// **Loop**: none; pure functions over values.
///
/// **May touch**: `model.net`, `model.resource`, `model.selector`, the JDK. No clock, no IO.
@NullMarked
package io.margay.model.k8s;

import org.jspecify.annotations.NullMarked;
