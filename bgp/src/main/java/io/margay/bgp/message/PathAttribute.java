package io.margay.bgp.message;

import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.RouterId;
import java.util.AbstractList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One property of a route, or for {@link MpReach} and {@link MpUnreach} of a message.
public sealed interface PathAttribute {

  /// Where the first speaker had the route from (RFC 4271 §5.1.1); the lower code is preferred.
  enum OriginCode {
    IGP(0),
    EGP(1),
    INCOMPLETE(2);

    private final int wireValue;

    OriginCode(int wireValue) {
      this.wireValue = wireValue;
    }

    public int wireValue() {
      return wireValue;
    }
  }

  record Origin(OriginCode origin) implements PathAttribute {}

  /// The ASes a route came through, the nearest first (RFC 4271 §5.1.2).
  record AsPathAttribute(AsPath path) implements PathAttribute {}

  /// The IPv4 next hop (RFC 4271 §5.1.3).
  record NextHop(Ipv4Address address) implements PathAttribute {}

  /// MULTI_EXIT_DISC, unsigned; lower is preferred (RFC 4271 §5.1.4).
  record MultiExitDisc(int value) implements PathAttribute {}

  /// LOCAL_PREF, unsigned; higher is preferred (RFC 4271 §5.1.5).
  record LocalPref(int value) implements PathAttribute {}

  record AtomicAggregate() implements PathAttribute {}

  record Aggregator(Asn asn, Ipv4Address speaker) implements PathAttribute {}

  /// RFC 1997; at least one when it stands in a message.
  final class Communities implements PathAttribute {

    /// None.
    public static final Communities NONE = new Communities(new int[0]);

    private final int[] values;

    private Communities(int[] values) {
      this.values = values;
    }

    public Communities(List<Community> communities) {
      this.values = new int[communities.size()];
      int at = 0;
      for (Community one : communities) {
        values[at] = one.value();
        at++;
      }
    }

    /// Takes the array over: it must not change afterwards.
    public static Communities ofValues(int... values) {
      return values.length == 0 ? NONE : new Communities(values);
    }

    public int size() {
      return values.length;
    }

    public boolean isEmpty() {
      return values.length == 0;
    }

    /// The wire value of one.
    public int value(int index) {
      return values[index];
    }

    public boolean contains(Community community) {
      for (int value : values) {
        if (value == community.value()) {
          return true;
        }
      }
      return false;
    }

    /// A view.
    public List<Community> communities() {
      return new AbstractList<>() {
        @Override
        public Community get(int index) {
          return new Community(values[index]);
        }

        @Override
        public int size() {
          return Communities.this.size();
        }
      };
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Communities that && Arrays.equals(values, that.values);
    }

    @Override
    public int hashCode() {
      return Hash.of(values);
    }

    @Override
    public String toString() {
      return "Communities" + communities();
    }
  }

  /// RFC 4456 §8.
  record OriginatorId(RouterId id) implements PathAttribute {}

  /// RFC 4456 §8, the nearest reflector first; at least one when it stands in a message.
  final class ClusterList implements PathAttribute {

    /// None.
    public static final ClusterList NONE = new ClusterList(new int[0]);

    private final int[] values;

    private ClusterList(int[] values) {
      this.values = values;
    }

    public ClusterList(List<Integer> clusters) {
      this.values = new int[clusters.size()];
      int at = 0;
      for (Integer one : clusters) {
        values[at] = one;
        at++;
      }
    }

    /// Takes the array over: it must not change afterwards.
    public static ClusterList ofValues(int... values) {
      return values.length == 0 ? NONE : new ClusterList(values);
    }

    public int size() {
      return values.length;
    }

    public boolean isEmpty() {
      return values.length == 0;
    }

    /// The wire value of one.
    public int value(int index) {
      return values[index];
    }

    public boolean contains(int cluster) {
      for (int value : values) {
        if (value == cluster) {
          return true;
        }
      }
      return false;
    }

    /// A view.
    public List<Integer> clusters() {
      return new AbstractList<>() {
        @Override
        public Integer get(int index) {
          return values[index];
        }

        @Override
        public int size() {
          return ClusterList.this.size();
        }
      };
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof ClusterList that && Arrays.equals(values, that.values);
    }

    @Override
    public int hashCode() {
      return Hash.of(values);
    }

    @Override
    public String toString() {
      return "ClusterList" + clusters();
    }
  }

  /// Reachable prefixes of one family (RFC 4760 §3).
  ///
  /// @param linkLocal the second next hop of RFC 2545 §3; absent if there is none
  record MpReach(AfiSafi family, IpAddress nextHop, @Nullable IpAddress linkLocal, Nlri nlri)
      implements PathAttribute {}

  /// Prefixes of one family no longer reachable (RFC 4760 §4); none: End-of-RIB (RFC 4724 §2).
  record MpUnreach(AfiSafi family, Nlri nlri) implements PathAttribute {}

  /// RFC 4360: eight octets each, high octet first; at least one when it stands in a message.
  final class ExtendedCommunities implements PathAttribute {

    /// None.
    public static final ExtendedCommunities NONE = new ExtendedCommunities(new long[0]);

    private final long[] values;

    private ExtendedCommunities(long[] values) {
      this.values = values;
    }

    public ExtendedCommunities(List<Long> communities) {
      this.values = new long[communities.size()];
      int at = 0;
      for (Long one : communities) {
        values[at] = one;
        at++;
      }
    }

    /// Takes the array over: it must not change afterwards.
    public static ExtendedCommunities ofValues(long... values) {
      return values.length == 0 ? NONE : new ExtendedCommunities(values);
    }

    public int size() {
      return values.length;
    }

    public boolean isEmpty() {
      return values.length == 0;
    }

    /// The wire value of one.
    public long value(int index) {
      return values[index];
    }

    /// A view.
    public List<Long> communities() {
      return new AbstractList<>() {
        @Override
        public Long get(int index) {
          return values[index];
        }

        @Override
        public int size() {
          return ExtendedCommunities.this.size();
        }
      };
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof ExtendedCommunities that && Arrays.equals(values, that.values);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(values);
    }

    @Override
    public String toString() {
      return "ExtendedCommunities" + communities();
    }
  }

  /// The 4-octet AS_PATH as a 2-octet speaker carries it (RFC 6793 §3).
  record As4Path(AsPath path) implements PathAttribute {}

  record As4Aggregator(Asn asn, Ipv4Address speaker) implements PathAttribute {}

  /// RFC 8092; at least one when it stands in a message.
  final class LargeCommunities implements PathAttribute {

    /// None.
    public static final LargeCommunities NONE = new LargeCommunities(new int[0]);

    private final int[] values;

    private LargeCommunities(int[] values) {
      this.values = values;
    }

    public LargeCommunities(List<LargeCommunity> communities) {
      this.values = new int[3 * communities.size()];
      int at = 0;
      for (LargeCommunity one : communities) {
        values[at] = one.administrator();
        values[at + 1] = one.first();
        values[at + 2] = one.second();
        at += 3;
      }
    }

    /// Takes the array over: it must not change afterwards.
    public static LargeCommunities ofValues(int... values) {
      return values.length == 0 ? NONE : new LargeCommunities(values);
    }

    public int size() {
      return values.length / 3;
    }

    /// One of the three words of a community, counted over all of them.
    public int word(int index) {
      return values[index];
    }

    public boolean isEmpty() {
      return values.length == 0;
    }

    /// A view.
    public List<LargeCommunity> communities() {
      return new AbstractList<>() {
        @Override
        public LargeCommunity get(int index) {
          return new LargeCommunity(
              values[3 * index], values[3 * index + 1], values[3 * index + 2]);
        }

        @Override
        public int size() {
          return LargeCommunities.this.size();
        }
      };
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof LargeCommunities that && Arrays.equals(values, that.values);
    }

    @Override
    public int hashCode() {
      return Hash.of(values);
    }

    @Override
    public String toString() {
      return "LargeCommunities" + communities();
    }
  }

  /// An optional transitive attribute we do not know, to be passed on as it came.
  ///
  /// @param flags the first octet without the extended-length bit
  record Unrecognized(int flags, int code, Octets value) implements PathAttribute {}

  /// The type code (RFC 4271 §4.3 and the registry).
  default int code() {
    return switch (this) {
      case Origin _ -> 1;
      case AsPathAttribute _ -> 2;
      case NextHop _ -> 3;
      case MultiExitDisc _ -> 4;
      case LocalPref _ -> 5;
      case AtomicAggregate _ -> 6;
      case Aggregator _ -> 7;
      case Communities _ -> 8;
      case OriginatorId _ -> 9;
      case ClusterList _ -> 10;
      case MpReach _ -> 14;
      case MpUnreach _ -> 15;
      case ExtendedCommunities _ -> 16;
      case As4Path _ -> 17;
      case As4Aggregator _ -> 18;
      case LargeCommunities _ -> 32;
      case Unrecognized(_, int code, _) -> code;
    };
  }
}
