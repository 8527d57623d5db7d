package io.margay.bgp.message;

import io.margay.bgp.message.PathAttribute.Aggregator;
import io.margay.bgp.message.PathAttribute.AsPathAttribute;
import io.margay.bgp.message.PathAttribute.AtomicAggregate;
import io.margay.bgp.message.PathAttribute.ClusterList;
import io.margay.bgp.message.PathAttribute.Communities;
import io.margay.bgp.message.PathAttribute.ExtendedCommunities;
import io.margay.bgp.message.PathAttribute.LargeCommunities;
import io.margay.bgp.message.PathAttribute.LocalPref;
import io.margay.bgp.message.PathAttribute.MultiExitDisc;
import io.margay.bgp.message.PathAttribute.Origin;
import io.margay.bgp.message.PathAttribute.OriginCode;
import io.margay.bgp.message.PathAttribute.OriginatorId;
import io.margay.bgp.message.PathAttribute.Unrecognized;
import io.margay.model.net.RouterId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The attributes routes have in common: at most one of a type. Those that belong to a message, or
/// to the way to a 2-octet peer, are not among them: next hops, MP_REACH_NLRI, MP_UNREACH_NLRI,
/// AS4_PATH, AS4_AGGREGATOR.
///
/// Fields instead of a list: a full table has more than a hundred thousand distinct sets.
public final class PathAttributes {

  /// What a route without LOCAL_PREF counts as.
  public static final long DEFAULT_LOCAL_PREF = 100;

  private static final int MED = 1;
  private static final int LOCAL_PREF = 2;
  private static final int ATOMIC = 4;
  private static final int PARTIAL_AGGREGATOR = 8;
  private static final int PARTIAL_COMMUNITIES = 16;
  private static final int PARTIAL_EXTENDED = 32;
  private static final int PARTIAL_LARGE = 64;

  /// None.
  public static final PathAttributes EMPTY = new Builder().build();

  private final @Nullable OriginCode origin;
  private final @Nullable AsPath asPath;
  private final int present;
  private final int med;
  private final int localPref;
  private final @Nullable Aggregator aggregator;
  private final Communities communities;
  private final @Nullable OriginatorId originatorId;
  private final ClusterList clusterList;
  private final ExtendedCommunities extendedCommunities;
  private final LargeCommunities largeCommunities;
  private final List<Unrecognized> unrecognized;
  private final int hash;

  private PathAttributes(Builder from) {
    this.origin = from.origin;
    this.asPath = from.asPath;
    this.present = from.present & ~from.partialOfNothing();
    this.med = from.med;
    this.localPref = from.localPref;
    this.aggregator = from.aggregator;
    this.communities = from.communities;
    this.originatorId = from.originatorId;
    this.clusterList = from.clusterList;
    this.extendedCommunities = from.extendedCommunities;
    this.largeCommunities = from.largeCommunities;
    this.unrecognized =
        from.unrecognized.isEmpty()
            ? List.of()
            : from.unrecognized.stream()
                .sorted(Comparator.comparingInt(Unrecognized::code))
                .toList();
    this.hash = computeHash();
  }

  private int computeHash() {
    int result = origin == null ? 0 : origin.wireValue() + 1;
    result = Hash.with(result, asPath == null ? 0 : asPath.hashCode());
    result = Hash.with(result, present);
    result = Hash.with(result, med);
    result = Hash.with(result, localPref);
    result = Hash.with(result, aggregator == null ? 0 : aggregator.hashCode());
    result = Hash.with(result, communities.hashCode());
    result = Hash.with(result, originatorId == null ? 0 : originatorId.id().value());
    result = Hash.with(result, clusterList.hashCode());
    result = Hash.with(result, extendedCommunities.hashCode());
    result = Hash.with(result, largeCommunities.hashCode());
    return Hash.with(result, unrecognized.hashCode());
  }

  /// @throws IllegalArgumentException when a type occurs twice or belongs to a message
  public static PathAttributes of(List<? extends PathAttribute> attributes) {
    Builder builder = new Builder();
    for (PathAttribute attribute : attributes) {
      if (builder.has(attribute)) {
        throw new IllegalArgumentException("attribute type " + attribute.code() + " occurs twice");
      }
      builder.put(attribute);
    }
    return builder.build();
  }

  public static PathAttributes of(PathAttribute... attributes) {
    return of(List.of(attributes));
  }

  public static Builder builder() {
    return new Builder();
  }

  /// Collects attributes; what is put last stands.
  public static final class Builder {
    private @Nullable OriginCode origin;
    private @Nullable AsPath asPath;
    private int present;
    private int med;
    private int localPref;
    private @Nullable Aggregator aggregator;
    private Communities communities = Communities.NONE;
    private @Nullable OriginatorId originatorId;
    private ClusterList clusterList = ClusterList.NONE;
    private ExtendedCommunities extendedCommunities = ExtendedCommunities.NONE;
    private LargeCommunities largeCommunities = LargeCommunities.NONE;
    private List<Unrecognized> unrecognized = List.of();

    private Builder() {}

    private boolean has(PathAttribute attribute) {
      return switch (attribute) {
        case Origin _ -> origin != null;
        case AsPathAttribute _ -> asPath != null;
        case MultiExitDisc _ -> (present & MED) != 0;
        case LocalPref _ -> (present & LOCAL_PREF) != 0;
        case AtomicAggregate _ -> (present & ATOMIC) != 0;
        case Aggregator _ -> aggregator != null;
        case Communities _ -> !communities.isEmpty();
        case OriginatorId _ -> originatorId != null;
        case ClusterList _ -> !clusterList.isEmpty();
        case ExtendedCommunities _ -> !extendedCommunities.isEmpty();
        case LargeCommunities _ -> !largeCommunities.isEmpty();
        case Unrecognized(_, int code, _) ->
            unrecognized.stream().anyMatch(other -> other.code() == code);
        case PathAttribute.NextHop _,
            PathAttribute.MpReach _,
            PathAttribute.MpUnreach _,
            PathAttribute.As4Path _,
            PathAttribute.As4Aggregator _ ->
            false;
      };
    }

    /// @throws IllegalArgumentException when it belongs to a message
    public Builder put(PathAttribute attribute) {
      switch (attribute) {
        case Origin(OriginCode code) -> origin = code;
        case AsPathAttribute(AsPath path) -> asPath = path;
        case MultiExitDisc(int value) -> {
          present |= MED;
          med = value;
        }
        case LocalPref(int value) -> {
          present |= LOCAL_PREF;
          localPref = value;
        }
        case AtomicAggregate _ -> present |= ATOMIC;
        case Aggregator one -> aggregator = one;
        case Communities list -> communities = list;
        case OriginatorId one -> originatorId = one;
        case ClusterList list -> clusterList = list;
        case ExtendedCommunities list -> extendedCommunities = list;
        case LargeCommunities list -> largeCommunities = list;
        case Unrecognized one -> {
          List<Unrecognized> more = new ArrayList<>(unrecognized);
          more.removeIf(other -> other.code() == one.code());
          more.add(one);
          unrecognized = more;
        }
        case PathAttribute.NextHop _,
            PathAttribute.MpReach _,
            PathAttribute.MpUnreach _,
            PathAttribute.As4Path _,
            PathAttribute.As4Aggregator _ ->
            throw new IllegalArgumentException(
                "attribute type " + attribute.code() + " belongs to a message, not to a route");
      }
      return this;
    }

    /// A set without the attribute cannot have it in part.
    private int partialOfNothing() {
      return (aggregator == null ? PARTIAL_AGGREGATOR : 0)
          | (communities.isEmpty() ? PARTIAL_COMMUNITIES : 0)
          | (extendedCommunities.isEmpty() ? PARTIAL_EXTENDED : 0)
          | (largeCommunities.isEmpty() ? PARTIAL_LARGE : 0);
    }

    public Builder origin(OriginCode code) {
      origin = code;
      return this;
    }

    public Builder asPath(AsPath path) {
      asPath = path;
      return this;
    }

    public Builder med(int value) {
      present |= MED;
      med = value;
      return this;
    }

    public Builder localPref(int value) {
      present |= LOCAL_PREF;
      localPref = value;
      return this;
    }

    public Builder withoutMed() {
      present &= ~MED;
      med = 0;
      return this;
    }

    public Builder withoutLocalPref() {
      present &= ~LOCAL_PREF;
      localPref = 0;
      return this;
    }

    /// @param id null: none
    public Builder originatorId(@Nullable RouterId id) {
      originatorId = id == null ? null : new OriginatorId(id);
      return this;
    }

    /// @param clusters without elements: none
    public Builder clusterList(ClusterList clusters) {
      clusterList = clusters;
      return this;
    }

    public Builder communities(Communities list) {
      communities = list;
      return this;
    }

    public Builder extendedCommunities(ExtendedCommunities list) {
      extendedCommunities = list;
      return this;
    }

    public Builder largeCommunities(LargeCommunities list) {
      largeCommunities = list;
      return this;
    }

    public Builder aggregator(Aggregator one) {
      aggregator = one;
      return this;
    }

    public Builder atomicAggregate() {
      present |= ATOMIC;
      return this;
    }

    /// Notes that an optional transitive attribute came with the Partial bit: a speaker on its way
    /// did not know it, and the bit must stay (RFC 4271 §4.3, §5).
    ///
    /// @param code AGGREGATOR or a kind of communities; others have no Partial bit to keep
    public Builder partial(int code) {
      present |= partialBit(code);
      return this;
    }

    public PathAttributes build() {
      return new PathAttributes(this);
    }
  }

  private static int partialBit(int code) {
    return switch (code) {
      case 7 -> PARTIAL_AGGREGATOR;
      case 8 -> PARTIAL_COMMUNITIES;
      case 16 -> PARTIAL_EXTENDED;
      case 32 -> PARTIAL_LARGE;
      default -> 0;
    };
  }

  /// Of these attributes; what is built of it unchanged is equal to them.
  public Builder toBuilder() {
    Builder copy = new Builder();
    copy.origin = origin;
    copy.asPath = asPath;
    copy.present = present;
    copy.med = med;
    copy.localPref = localPref;
    copy.aggregator = aggregator;
    copy.communities = communities;
    copy.originatorId = originatorId;
    copy.clusterList = clusterList;
    copy.extendedCommunities = extendedCommunities;
    copy.largeCommunities = largeCommunities;
    copy.unrecognized = unrecognized;
    return copy;
  }

  /// Whether the attribute of this type code came with the Partial bit; see {@link
  /// Builder#partial(int)}.
  public boolean isPartial(int code) {
    return (present & partialBit(code)) != 0;
  }

  /// INCOMPLETE, the least preferred, when the attribute is missing.
  public OriginCode origin() {
    return origin == null ? OriginCode.INCOMPLETE : origin;
  }

  /// The AS path; empty when the attribute is missing.
  public AsPath asPath() {
    return asPath == null ? AsPath.EMPTY : asPath;
  }

  public boolean hasMed() {
    return (present & MED) != 0;
  }

  /// MULTI_EXIT_DISC; zero when it is missing (RFC 4271 §9.1.2.2 c).
  public long med() {
    return Integer.toUnsignedLong(med);
  }

  public boolean hasLocalPref() {
    return (present & LOCAL_PREF) != 0;
  }

  /// LOCAL_PREF, or {@link #DEFAULT_LOCAL_PREF}.
  public long localPref() {
    return hasLocalPref() ? Integer.toUnsignedLong(localPref) : DEFAULT_LOCAL_PREF;
  }

  public boolean atomicAggregate() {
    return (present & ATOMIC) != 0;
  }

  public @Nullable Aggregator aggregator() {
    return aggregator;
  }

  /// Without elements when the attribute is missing.
  public Communities communities() {
    return communities;
  }

  public @Nullable RouterId originatorId() {
    return originatorId == null ? null : originatorId.id();
  }

  /// Without elements when the attribute is missing.
  public ClusterList clusterList() {
    return clusterList;
  }

  /// Without elements when the attribute is missing.
  public ExtendedCommunities extendedCommunities() {
    return extendedCommunities;
  }

  /// Without elements when the attribute is missing.
  public LargeCommunities largeCommunities() {
    return largeCommunities;
  }

  /// Ascending by type code.
  public List<Unrecognized> unrecognized() {
    return unrecognized;
  }

  /// Ascending by type code.
  public List<PathAttribute> all() {
    List<PathAttribute> all = new ArrayList<>();
    if (origin != null) {
      all.add(new Origin(origin));
    }
    if (asPath != null) {
      all.add(new AsPathAttribute(asPath));
    }
    if (hasMed()) {
      all.add(new MultiExitDisc(med));
    }
    if (hasLocalPref()) {
      all.add(new LocalPref(localPref));
    }
    if (atomicAggregate()) {
      all.add(new AtomicAggregate());
    }
    addIfThere(aggregator, all);
    addIfThere(communities.isEmpty() ? null : communities, all);
    addIfThere(originatorId, all);
    addIfThere(clusterList.isEmpty() ? null : clusterList, all);
    addIfThere(extendedCommunities.isEmpty() ? null : extendedCommunities, all);
    addIfThere(largeCommunities.isEmpty() ? null : largeCommunities, all);
    if (!unrecognized.isEmpty()) {
      all.addAll(unrecognized);
      all.sort(Comparator.comparingInt(PathAttribute::code));
    }
    return all;
  }

  private static void addIfThere(@Nullable PathAttribute attribute, List<PathAttribute> all) {
    if (attribute != null) {
      all.add(attribute);
    }
  }

  public boolean isEmpty() {
    return equals(EMPTY);
  }

  public <A extends PathAttribute> Optional<A> find(Class<A> type) {
    for (PathAttribute attribute : all()) {
      if (type.isInstance(attribute)) {
        return Optional.of(type.cast(attribute));
      }
    }
    return Optional.empty();
  }

  /// These with `replacement` in the place of what had its type code, if anything. A list without
  /// elements removes.
  public PathAttributes with(PathAttribute replacement) {
    return toBuilder().put(replacement).build();
  }

  /// These less the attributes of a type.
  public PathAttributes without(Class<? extends PathAttribute> type) {
    Builder builder = new Builder();
    for (PathAttribute attribute : all()) {
      if (!type.isInstance(attribute)) {
        builder.put(attribute);
        if (isPartial(attribute.code())) {
          builder.partial(attribute.code());
        }
      }
    }
    return builder.build();
  }

  @Override
  public boolean equals(Object other) {
    return this == other
        || other instanceof PathAttributes that
            && hash == that.hash
            && present == that.present
            && med == that.med
            && localPref == that.localPref
            && origin == that.origin
            && asPath().equals(that.asPath())
            && (asPath == null) == (that.asPath == null)
            && communities.equals(that.communities)
            && extendedCommunities.equals(that.extendedCommunities)
            && largeCommunities.equals(that.largeCommunities)
            && clusterList.equals(that.clusterList)
            && Objects.equals(originatorId, that.originatorId)
            && Objects.equals(aggregator, that.aggregator)
            && unrecognized.equals(that.unrecognized);
  }

  @Override
  public int hashCode() {
    return hash;
  }

  @Override
  public String toString() {
    return all().toString();
  }
}
