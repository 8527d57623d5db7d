package io.margay.bgp.codec;

/// What a malformed attribute costs, the mildest first (RFC 7606 §2).
enum ErrorAction {
  DISCARD,
  WITHDRAW,
  RESET
}
