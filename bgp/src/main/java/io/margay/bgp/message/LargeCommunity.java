package io.margay.bgp.message;

/// A large community (RFC 8092): an AS number and two numbers it gives meaning to, all unsigned.
public record LargeCommunity(int administrator, int first, int second) {

  @Override
  public String toString() {
    return Integer.toUnsignedString(administrator)
        + ":"
        + Integer.toUnsignedString(first)
        + ":"
        + Integer.toUnsignedString(second);
  }
}
