package io.margay.bgp.message;

/// Asks for the whole Adj-RIB-Out of a family again (RFC 2918 §3).
public record RouteRefresh(AfiSafi family) implements Message {}
