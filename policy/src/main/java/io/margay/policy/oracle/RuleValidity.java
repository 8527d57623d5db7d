package io.margay.policy.oracle;

import io.margay.model.resource.EntityRule;
import io.margay.model.resource.IcmpFields;
import io.margay.model.resource.Protocol;
import io.margay.model.resource.Rule;
import io.margay.model.resource.ServiceAccountMatch;
import io.margay.model.resource.ServiceMatch;
import io.margay.model.selector.Selector;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Which rules make sense, and which of those can be enforced exactly.
final class RuleValidity {

  private RuleValidity() {}

  /// Whether the rule's fields go together.
  static boolean isValid(Rule rule) {
    Protocol protocol = rule.protocol();
    Integer version = rule.ipVersion();
    boolean namesPorts =
        Stream.of(rule.source(), rule.destination())
            .anyMatch(peer -> !peer.ports().isEmpty() || !peer.notPorts().isEmpty());
    boolean namesIcmp = rule.icmp() != null || rule.notICMP() != null;
    return (version == null || version == 4 || version == 6)
        && (!namesPorts || protocol != null && protocol.hasPorts())
        && (!namesIcmp || protocol != null && protocol.isIcmp())
        && isValid(rule.icmp())
        && isValid(rule.notICMP())
        && !usesGlobal(rule.source())
        && !usesGlobal(rule.destination());
  }

  private static boolean isValid(@Nullable IcmpFields fields) {
    if (fields == null) {
      return true;
    }
    Integer type = fields.type();
    Integer code = fields.code();
    return type == null
        ? code == null
        : type >= 0 && type <= 254 && (code == null || code >= 0 && code <= 255);
  }

  private static boolean usesGlobal(EntityRule peer) {
    ServiceAccountMatch accounts = peer.serviceAccounts();
    return usesGlobal(peer.selector())
        || usesGlobal(peer.notSelector())
        || accounts != null && usesGlobal(accounts.selector());
  }

  private static boolean usesGlobal(@Nullable Selector selector) {
    return selector != null && selector.usesGlobal();
  }

  /// Whether nothing in the rule is beyond this version: HTTP, unknown fields, a service that can't
  /// be found.
  ///
  /// @param namespace of the policy; empty for a global one
  static boolean isSupported(Rule rule, String namespace) {
    IcmpFields icmp = rule.icmp();
    IcmpFields notIcmp = rule.notICMP();
    return rule.http() == null
        && rule.unknown().isEmpty()
        && (icmp == null || icmp.unknown().isEmpty())
        && (notIcmp == null || notIcmp.unknown().isEmpty())
        && isSupported(rule.source(), namespace, false)
        && isSupported(rule.destination(), namespace, true);
  }

  /// Whether a peer's service is one service and stands alone; a source may have ports beside it.
  static boolean isService(EntityRule peer, String namespace, boolean isDestination) {
    ServiceMatch services = peer.services();
    if (services == null) {
      return false;
    }
    String scope = services.namespace() == null ? "" : services.namespace();
    boolean named = services.name() != null && !services.name().isEmpty();
    boolean scoped = !namespace.isEmpty() || !scope.isEmpty();
    return named
        && scoped
        && services.unknown().isEmpty()
        && isBlank(peer.selector())
        && isBlank(peer.notSelector())
        && isBlank(peer.namespaceSelector())
        && peer.nets().isEmpty()
        && peer.notNets().isEmpty()
        && peer.serviceAccounts() == null
        && (!isDestination || peer.ports().isEmpty() && peer.notPorts().isEmpty());
  }

  private static boolean isBlank(@Nullable Selector selector) {
    return selector == null || selector.text().isEmpty();
  }

  private static boolean isSupported(EntityRule peer, String namespace, boolean isDestination) {
    ServiceAccountMatch accounts = peer.serviceAccounts();
    return (peer.services() == null || isService(peer, namespace, isDestination))
        && peer.unknown().isEmpty()
        && (accounts == null || accounts.unknown().isEmpty());
  }
}
