package io.margay.cni.spec;

import java.util.Optional;

/// How much a pod may send and receive (`runtimeConfig.bandwidth`), in bits and bits a second; 0
/// for rate and burst of a direction leaves it unlimited.
///
/// @param ingressRate towards the pod
/// @param ingressBurst what may come at once
/// @param egressRate from the pod
/// @param egressBurst what may leave at once
public record Bandwidth(long ingressRate, long ingressBurst, long egressRate, long egressBurst) {

  /// The kernel counts whole octets a second.
  private static final long MIN_RATE = 8;

  /// A bucket's size is 32 bits of octets.
  private static final long MAX_BURST = 8 * 0xffff_ffffL;

  /// What the runtime asks for one pod; the network's own limits, written as the `bandwidth` plugin
  /// has them, stand above it.
  static Optional<Bandwidth> parse(ConfNode conf) throws CniException {
    Optional<Bandwidth> ofNetwork = parseOne(conf);
    return ofNetwork.isPresent()
        ? ofNetwork
        : parseOne(conf.object("runtimeConfig").object("bandwidth"));
  }

  private static Optional<Bandwidth> parseOne(ConfNode node) throws CniException {
    Bandwidth bandwidth =
        new Bandwidth(
            rate(node, "ingressRate"),
            burst(node, "ingressRate", "ingressBurst"),
            rate(node, "egressRate"),
            burst(node, "egressRate", "egressBurst"));
    return bandwidth.isLimited() ? Optional.of(bandwidth) : Optional.empty();
  }

  private static long rate(ConfNode node, String key) throws CniException {
    long rate = node.number(key, 0, 0, Long.MAX_VALUE);
    if (rate > 0 && rate < MIN_RATE) {
      throw node.wrong(
          key, node.get(key).orElseThrow(), "0 or at least " + MIN_RATE + " bits a second");
    }
    return rate;
  }

  private static long burst(ConfNode node, String rateKey, String key) throws CniException {
    long rate = rate(node, rateKey);
    long burst = node.number(key, 0, 0, MAX_BURST);
    if (rate > 0 && burst < MIN_RATE) {
      throw new CniException(
          CniError.BAD_CONFIG,
          "key "
              + node.path(key)
              + ": "
              + (burst == 0 ? "missing" : burst + " found")
              + ", the burst in bits that goes with "
              + rateKey
              + " "
              + rate
              + " expected");
    }
    if (rate == 0 && burst > 0) {
      throw new CniException(
          CniError.BAD_CONFIG,
          "key "
              + node.path(rateKey)
              + ": missing, the rate in bits a second that goes with "
              + key
              + " "
              + burst
              + " expected");
    }
    return burst;
  }

  /// Whether it limits anything.
  public boolean isLimited() {
    return ingressRate > 0 || egressRate > 0;
  }
}
