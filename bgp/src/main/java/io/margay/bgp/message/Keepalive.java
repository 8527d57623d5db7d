package io.margay.bgp.message;

/// "I am still here" (RFC 4271 §4.4).
public record Keepalive() implements Message {}
