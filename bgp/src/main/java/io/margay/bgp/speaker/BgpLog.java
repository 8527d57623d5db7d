package io.margay.bgp.speaker;

import io.margay.bgp.codec.AttributeError;
import io.margay.bgp.message.Nlri;
import io.margay.bgp.rib.PrefixLimit;
import io.margay.model.net.IpFamily;
import io.margay.model.net.ScopedAddress;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Every line the speaker logs: constant messages, typed fields. Passwords are in none of them.
final class BgpLog {

  private static final Logger LOG = LoggerFactory.getLogger("io.margay.bgp");

  private BgpLog() {}

  static void peerUp(ScopedAddress peer, String description) {
    LOG.atInfo()
        .addKeyValue("peer", peer)
        .addKeyValue("description", description)
        .log("ADJCHANGE neighbor Up");
  }

  static void notWatched(ScopedAddress peer, String reason) {
    LOG.atWarn()
        .addKeyValue("peer", peer)
        .addKeyValue("reason", reason)
        .log("the path to a neighbor can't be watched by BFD; its session goes on without");
  }

  static void peerDown(ScopedAddress peer, String description, String reason) {
    LOG.atWarn()
        .addKeyValue("peer", peer)
        .addKeyValue("description", description)
        .addKeyValue("reason", reason)
        .log("ADJCHANGE neighbor Down");
  }

  static void attemptFailed(ScopedAddress peer, String reason) {
    LOG.atInfo()
        .addKeyValue("peer", peer)
        .addKeyValue("reason", reason)
        .log("BGP session attempt failed");
  }

  static void transition(ScopedAddress peer, SessionPhase from, SessionPhase to) {
    LOG.atDebug()
        .addKeyValue("peer", peer)
        .addKeyValue("from", from)
        .addKeyValue("to", to)
        .log("BGP session changes state");
  }

  static void configurationResets(ScopedAddress peer, Set<String> fields) {
    LOG.atWarn()
        .addKeyValue("peer", peer)
        .addKeyValue("changed", fields)
        .log("BGP session is reset: the protocol cannot make this change within one");
  }

  static void malformed(
      ScopedAddress peer, String outcome, List<AttributeError> errors, String hex) {
    AttributeError first = errors.getFirst();
    LOG.atWarn()
        .addKeyValue("peer", peer)
        .addKeyValue("outcome", outcome)
        .addKeyValue("attribute", first.code())
        .addKeyValue("problem", first.problem())
        .addKeyValue("value", first.value())
        .addKeyValue("errors", errors.size())
        .addKeyValue("message", hex)
        .log("BGP UPDATE is malformed");
  }

  static void stranger(ScopedAddress address, String why, long unlogged) {
    LOG.atWarn()
        .addKeyValue("address", address)
        .addKeyValue("reason", why)
        .addKeyValue("unlogged", unlogged)
        .log("BGP connection is closed; configure a peer with the address to accept it");
  }

  static void socketRefuses(ScopedAddress peer, String option, Throwable cause) {
    LOG.atError()
        .addKeyValue("peer", peer)
        .addKeyValue("option", option)
        .addKeyValue("reason", cause.getMessage())
        .log("BGP connection keeps its old option: the kernel refuses the new one");
  }

  static void passwordRefused(Remote peer, String why) {
    LOG.atError()
        .addKeyValue("peer", peer)
        .addKeyValue("reason", why)
        .log(
            "BGP peer cannot connect to us: the kernel refuses its password; raise sysctl"
                + " net.core.optmem_max if there are many");
  }

  static void listenersRefuse(Throwable cause) {
    LOG.atError()
        .addKeyValue("reason", cause.getMessage())
        .log("BGP listeners keep their old keys and hop limits: the kernel refuses the new ones");
  }

  static void linkUnknown(ScopedAddress own, Throwable cause) {
    LOG.atWarn()
        .addKeyValue("address", own)
        .addKeyValue("reason", cause.getMessage())
        .log("BGP cannot tell which link an address is on; next hops of the other family may lack");
  }

  static void attributesTooLarge(ScopedAddress peer, Nlri prefixes) {
    LOG.atError()
        .addKeyValue("peer", peer)
        .addKeyValue("prefixes", prefixes.size())
        .addKeyValue("first", prefixes.prefix(0))
        .log("BGP routes are withdrawn because their attributes fit no message");
  }

  static void prefixLimit(PrefixLimit limit) {
    LOG.atWarn()
        .addKeyValue("peer", limit.peer())
        .addKeyValue("family", limit.family())
        .addKeyValue("level", limit.level())
        .addKeyValue("count", limit.count())
        .addKeyValue("limit", limit.limit().limit())
        .addKeyValue("action", limit.limit().action())
        .log("BGP peer reaches its prefix limit");
  }

  static void staleDropped(ScopedAddress peer, int routes, String why) {
    LOG.atInfo()
        .addKeyValue("peer", peer)
        .addKeyValue("routes", routes)
        .addKeyValue("reason", why)
        .log("BGP graceful restart of a peer ends; its stale routes go");
  }

  static void readyToSweep(IpFamily family) {
    LOG.atInfo()
        .addKeyValue("family", family)
        .log("BGP has heard from its peers; leftover routes may be swept");
  }

  static void loopDied(String loop, Throwable cause) {
    LOG.atError().addKeyValue("loop", loop).setCause(cause).log("BGP loop ends on a bug");
  }
}
