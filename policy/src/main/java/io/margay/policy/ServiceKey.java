package io.margay.policy;

/// A service as rules name it.
record ServiceKey(String namespace, String name) {}
