/// **For**: Kubernetes documents, translated once into the resources everything else works with.
///
/// **In → out**: policies, namespaces and service accounts → `model.resource` records; pods are
/// kept, for what their endpoints take from them.
///
/// **Loop**: none; pure functions over values.
///
/// **May touch**: `model.net`, `model.resource`, `model.selector`, the JDK. No clock, no IO.
@NullMarked
package io.margay.model.k8s;

import org.jspecify.annotations.NullMarked;
