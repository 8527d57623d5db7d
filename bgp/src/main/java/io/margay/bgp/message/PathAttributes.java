package io.margay.bgp.message;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// The attributes routes have in common: at most one of a type, ascending by type code. Those that
/// belong to a message ({@link PathAttribute.MpReach}, {@link PathAttribute.MpUnreach}) are not
/// among them.
public final class PathAttributes {

  /// None.
  public static final PathAttributes EMPTY = new PathAttributes(List.of());

  private final List<PathAttribute> all;
  private final int hash;

  private PathAttributes(List<PathAttribute> all) {
    this.all = all;
    this.hash = all.hashCode();
  }

  /// @throws IllegalArgumentException when a type occurs twice or belongs to a message
  public static PathAttributes of(List<? extends PathAttribute> attributes) {
    List<PathAttribute> sorted = new ArrayList<>(attributes);
    sorted.sort(Comparator.comparingInt(PathAttribute::code));
    int last = -1;
    for (PathAttribute attribute : sorted) {
      if (attribute.code() == last) {
        throw new IllegalArgumentException("attribute type " + last + " occurs twice");
      }
      if (attribute instanceof PathAttribute.MpReach
          || attribute instanceof PathAttribute.MpUnreach) {
        throw new IllegalArgumentException("MP_REACH_NLRI and MP_UNREACH_NLRI belong to a message");
      }
      last = attribute.code();
    }
    return new PathAttributes(List.copyOf(sorted));
  }

  public static PathAttributes of(PathAttribute... attributes) {
    return of(List.of(attributes));
  }

  /// Ascending by type code.
  public List<PathAttribute> all() {
    return all;
  }

  public boolean isEmpty() {
    return all.isEmpty();
  }

  public <A extends PathAttribute> Optional<A> find(Class<A> type) {
    for (PathAttribute attribute : all) {
      if (type.isInstance(attribute)) {
        return Optional.of(type.cast(attribute));
      }
    }
    return Optional.empty();
  }

  /// The AS path; empty when the attribute is missing.
  public AsPath asPath() {
    return find(PathAttribute.AsPathAttribute.class)
        .map(PathAttribute.AsPathAttribute::path)
        .orElse(AsPath.EMPTY);
  }

  /// These with `replacement` in the place of what had its type code, if anything.
  public PathAttributes with(PathAttribute replacement) {
    List<PathAttribute> changed = new ArrayList<>(all);
    changed.removeIf(attribute -> attribute.code() == replacement.code());
    changed.add(replacement);
    return of(changed);
  }

  /// These less the attributes of a type.
  public PathAttributes without(Class<? extends PathAttribute> type) {
    List<PathAttribute> changed = new ArrayList<>(all);
    changed.removeIf(type::isInstance);
    return of(changed);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof PathAttributes that && hash == that.hash && all.equals(that.all);
  }

  @Override
  public int hashCode() {
    return hash;
  }

  @Override
  public String toString() {
    return all.toString();
  }
}
