package io.margay.model.k8s;

import org.jspecify.annotations.Nullable;

/// Pods that both selectors pick.
///
/// @param namespaceSelector empty = every namespace
/// @param podSelector empty = every pod
public record NamespacedPods(
    @Nullable LabelSelector namespaceSelector, @Nullable LabelSelector podSelector) {}
