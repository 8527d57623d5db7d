package io.margay.model.resource;

import io.margay.model.net.IpFamily;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What Calico demands of BGP filters.
final class FilterValidation {

  /// Changes one rule makes to a route.
  static final int MAX_OPERATIONS = 10;

  /// AS numbers one operation prepends.
  static final int MAX_PREPENDED = 10;

  /// Largest metric of the kernel's that a rule names: one below is left for what beats it.
  static final int MAX_PRIORITY = Integer.MAX_VALUE - 1;

  private static final Pattern INTERFACE_GLOB = Pattern.compile("[a-zA-Z0-9_.*-]{1,15}");

  private FilterValidation() {}

  static void filter(BGPFilterSpec spec, FieldErrors errors) {
    rules(spec.exportV4(), IpFamily.IPV4, "spec.exportV4", errors);
    rules(spec.importV4(), IpFamily.IPV4, "spec.importV4", errors);
    rules(spec.exportV6(), IpFamily.IPV6, "spec.exportV6", errors);
    rules(spec.importV6(), IpFamily.IPV6, "spec.importV6", errors);
  }

  private static void rules(
      List<BGPFilterRule> rules, IpFamily family, String path, FieldErrors errors) {
    for (int i = 0; i < rules.size(); i++) {
      rule(rules.get(i), family, path + "[" + i + "]", errors);
    }
  }

  private static void rule(BGPFilterRule rule, IpFamily family, String path, FieldErrors errors) {
    prefix(rule, family, path, errors);
    String glob = rule.interfaceGlob();
    if (glob != null && !glob.isEmpty() && !INTERFACE_GLOB.matcher(glob).matches()) {
      errors.add(path + ".interface", "\"" + glob + "\" is not 1 to 15 of A-Z a-z 0-9 . _ - and *");
    }
    if (rule.communities() != null) {
      List<String> values = rule.communities().values();
      errors.unless(
          values.size() == 1, path + ".communities.values", values.size() + " entries; 1 is taken");
      for (int i = 0; i < values.size(); i++) {
        BgpValidation.community(values.get(i), path + ".communities.values[" + i + "]", errors);
      }
    }
    errors.range(rule.priority(), 1, MAX_PRIORITY, path + ".priority");
    errors.unless(
        rule.operations().isEmpty() || rule.action() == FilterAction.ACCEPT,
        path + ".operations",
        "needs action Accept");
    errors.atMost(rule.operations(), MAX_OPERATIONS, path + ".operations");
    for (int i = 0; i < rule.operations().size(); i++) {
      operation(rule.operations().get(i), path + ".operations[" + i + "]", errors);
    }
  }

  private static void prefix(BGPFilterRule rule, IpFamily family, String path, FieldErrors errors) {
    if (rule.cidr() == null) {
      errors.unless(rule.matchOperator() == null, path + ".matchOperator", "needs a cidr");
      errors.unless(rule.prefixLength() == null, path + ".prefixLength", "needs a cidr");
    } else {
      errors.unless(
          rule.cidr().family() == family,
          path + ".cidr",
          rule.cidr() + " is not an IPv" + family.version() + " prefix");
      errors.present(rule.matchOperator(), path + ".matchOperator");
    }
    BGPFilterRule.PrefixLengthRange lengths = rule.prefixLength();
    if (lengths == null) {
      return;
    }
    errors.range(lengths.min(), 0, family.bits(), path + ".prefixLength.min");
    errors.range(lengths.max(), 0, family.bits(), path + ".prefixLength.max");
    errors.unless(
        lengths.min() == null || lengths.max() == null || lengths.min() <= lengths.max(),
        path + ".prefixLength.min",
        "is above max");
  }

  private static void operation(BGPFilterOperation operation, String path, FieldErrors errors) {
    int given =
        count(operation.addCommunity())
            + count(operation.prependASPath())
            + count(operation.setPriority());
    errors.unless(
        given == 1, path, "needs exactly one of addCommunity, prependASPath and setPriority");
    if (operation.addCommunity() != null) {
      BgpValidation.community(
          operation.addCommunity().value(), path + ".addCommunity.value", errors);
    }
    if (operation.prependASPath() != null) {
      errors.unless(
          !operation.prependASPath().prefix().isEmpty(),
          path + ".prependASPath.prefix",
          "is required");
      errors.atMost(
          operation.prependASPath().prefix(), MAX_PREPENDED, path + ".prependASPath.prefix");
    }
    if (operation.setPriority() != null) {
      errors.range(operation.setPriority().value(), 1, MAX_PRIORITY, path + ".setPriority.value");
    }
  }

  private static int count(@Nullable Object given) {
    return given == null ? 0 : 1;
  }
}
