package io.margay.cni.spec;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// A version of the CNI specification. Membership is exact: there are no ranges, so 1.0.1 is none
/// of them.
public enum CniVersion {
  V0_1_0("0.1.0", Shape.PER_FAMILY),
  V0_2_0("0.2.0", Shape.PER_FAMILY),
  V0_3_0("0.3.0", Shape.LIST_WITH_VERSION),
  V0_3_1("0.3.1", Shape.LIST_WITH_VERSION),
  V0_4_0("0.4.0", Shape.LIST_WITH_VERSION),
  V1_0_0("1.0.0", Shape.LIST),
  V1_1_0("1.1.0", Shape.LIST);

  /// What a configuration without `cniVersion` means: 0.1.0 by libcni, 0.2.0 by the upgrade notes;
  /// the shape is one.
  public static final CniVersion WHEN_ABSENT = V0_2_0;

  public static final CniVersion NEWEST = V1_1_0;

  /// The three shapes results have had.
  enum Shape {
    /// `ip4` and `ip6`, one address each.
    PER_FAMILY,
    /// `interfaces` and `ips`, each ip with its `version`.
    LIST_WITH_VERSION,
    /// `interfaces` and `ips`.
    LIST
  }

  private final String text;
  private final Shape shape;

  CniVersion(String text, Shape shape) {
    this.text = text;
    this.shape = shape;
  }

  /// As it is written in `cniVersion`.
  public String text() {
    return text;
  }

  Shape shape() {
    return shape;
  }

  /// Whether the version knows `verb`: CHECK came with 0.4.0, GC and STATUS with 1.1.0.
  public boolean knows(CniVerb verb) {
    return compareTo(verb.since()) >= 0;
  }

  public static Optional<CniVersion> find(String text) {
    return Arrays.stream(values()).filter(version -> version.text.equals(text)).findFirst();
  }

  /// Every version, oldest first, as VERSION lists them.
  public static List<String> texts() {
    return Arrays.stream(values()).map(CniVersion::text).toList();
  }

  @Override
  public String toString() {
    return text;
  }
}
