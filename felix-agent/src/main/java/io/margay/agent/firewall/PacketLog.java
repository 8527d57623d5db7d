package io.margay.agent.firewall;

import io.margay.linux.nft.NftExpr;
import org.jspecify.annotations.Nullable;

/// How packets are logged. Whether and where never changes what becomes of them.
///
/// @param rules where rules with action Log write
/// @param verdicts which decisions of policy are told to the NFLOG groups beside those
/// @param prefix FelixConfiguration's `logPrefix`, for the kernel's log; null = not set
/// @param limit what one kernel rule may log (`logActionRateLimit`, `logActionRateLimitBurst`);
///   packets beyond it are not logged
public record PacketLog(
    Target rules, Verdicts verdicts, @Nullable String prefix, NftExpr.Limit limit) {

  /// NFLOG group of what policy says to packets towards an endpoint, as Felix numbers it.
  public static final int INGRESS_GROUP = 1;

  /// NFLOG group of what policy says to packets from an endpoint.
  public static final int EGRESS_GROUP = 2;

  /// What of a packet an NFLOG entry has: enough for the headers of any connection.
  public static final int PACKET_OCTETS = 128;

  /// Entries a second and kernel rule, unless FelixConfiguration says otherwise; also the burst.
  public static final int DEFAULT_RATE = 100;

  /// What Calico's lines in the kernel's log begin with.
  static final String DEFAULT_PREFIX = "calico-packet";

  public static final PacketLog DEFAULT =
      new PacketLog(
          Target.KERNEL, Verdicts.NONE, null, NftExpr.Limit.perSecond(DEFAULT_RATE, DEFAULT_RATE));

  /// Where a rule writes.
  public enum Target {
    /// The kernel's log, as Calico's do.
    KERNEL,
    /// The NFLOG group of the direction.
    NFLOG
  }

  /// Decisions that are told.
  public enum Verdicts {
    NONE,
    /// Denials.
    DENIED,
    /// Denials, allowances and passes to the next tier.
    ALL
  }
}
