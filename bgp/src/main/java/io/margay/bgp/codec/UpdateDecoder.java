package io.margay.bgp.codec;

import io.margay.bgp.codec.AttributeType.Flags;
import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.Nlri;
import io.margay.bgp.message.Notification;
import io.margay.bgp.message.Octets;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.message.Update;
import io.margay.model.net.Asn;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Reads one UPDATE and decides its fate by RFC 7606: the worst error of the message counts. An
/// instance serves one message.
final class UpdateDecoder {

  private static final int MALFORMED_ATTRIBUTE_LIST = 1;
  private static final int UNRECOGNIZED_WELL_KNOWN = 2;
  private static final int OPTIONAL_ATTRIBUTE_ERROR = 9;
  private static final int INVALID_NETWORK_FIELD = 10;

  /// No attribute is of type 0; errors of the list itself go under it.
  private static final int NO_TYPE = 0;

  private final CodecContext context;
  private final OctetReader from;
  private final PathAttributes.Builder attributes = PathAttributes.builder();

  /// Which of the 256 types occurred, 64 to a word.
  private final long[] seen = new long[4];

  private @Nullable List<AttributeError> errors;
  private ErrorAction worst = ErrorAction.DISCARD;
  private DecodeOutcome.@Nullable SessionReset reset;

  private PathAttribute.@Nullable MpReach reach;
  private PathAttribute.@Nullable MpUnreach unreach;
  private boolean announcesByAttribute;
  private @Nullable Ipv4Address nextHop;
  private @Nullable AttributeError nextHopError;
  private @Nullable AsPath path;
  private @Nullable AsPath as4Path;
  private PathAttribute.@Nullable Aggregator aggregator;
  private PathAttribute.@Nullable As4Aggregator as4Aggregator;

  private UpdateDecoder(OctetReader from, CodecContext context) {
    this.from = from;
    this.context = context;
  }

  /// @param from stands behind the header of a message with room for both length fields
  static DecodeOutcome decode(OctetReader from, CodecContext context) {
    return new UpdateDecoder(from, context).decode();
  }

  private DecodeOutcome decode() {
    boolean ids = context.addPathReceive().contains(AfiSafi.IPV4_UNICAST);
    // RFC 7606 §4: the two lengths delimit the fields, so the prefixes are found whatever is wrong
    // with the attributes between them.
    Nlri withdrawn;
    Nlri announced;
    int attributesAt;
    int attributesLength;
    try {
      int withdrawnLength = from.u16();
      if (withdrawnLength + 2 > from.remaining()) {
        return reset(MALFORMED_ATTRIBUTE_LIST, "withdrawn routes overrun the UPDATE");
      }
      int outer = from.enter(withdrawnLength);
      withdrawn = PrefixReader.read(from, IpFamily.IPV4, ids);
      from.leave(outer);
      attributesLength = from.u16();
      if (attributesLength > from.remaining()) {
        return reset(MALFORMED_ATTRIBUTE_LIST, "attributes overrun the UPDATE");
      }
      attributesAt = from.position();
      from.skip(attributesLength);
      announced = PrefixReader.read(from, IpFamily.IPV4, ids);
      from.position(attributesAt);
      from.enter(attributesLength);
    } catch (MalformedAttribute malformed) {
      // RFC 7606 §5.3, §3.j: an NLRI field that cannot be delimited resets the session.
      return reset(INVALID_NETWORK_FIELD, "IPv4 prefixes: " + malformed.problem());
    }
    readAttributes();
    if (reset != null) {
      return reset;
    }
    return outcome(withdrawn, announced);
  }

  private DecodeOutcome outcome(Nlri withdrawn, Nlri announced) {
    boolean announces = !announced.isEmpty() || announcesByAttribute;
    if (nextHopError != null && (!announced.isEmpty() || !announcesByAttribute)) {
      // RFC 4760 §3: NEXT_HOP beside MP_REACH_NLRI alone is ignored.
      error(nextHopError, ErrorAction.WITHDRAW);
    }
    if (announces) {
      requireMandatory(!announced.isEmpty());
    }
    reconcileTwoOctetPath();
    Update update = new Update(withdrawn, unreach, attributes.build(), nextHop, announced, reach);
    if (hasMoreThanUnreach() && update.endOfRib().isPresent()) {
      update = update.asPartial();
    }
    if (errors == null) {
      return new DecodeOutcome.Accepted(update);
    }
    if (worst == ErrorAction.DISCARD) {
      return new DecodeOutcome.AttributeDiscard(update, errors, from.sample());
    }
    if (!announces && hasMoreThanUnreach()) {
      // RFC 7606 §5.2: attributes without a route to go with, and one of them malformed: the routes
      // may be in what could not be read.
      return reset(MALFORMED_ATTRIBUTE_LIST, errors.getFirst().problem());
    }
    return new DecodeOutcome.TreatAsWithdraw(update.asWithdrawal(), errors, from.sample());
  }

  private DecodeOutcome.SessionReset reset(int subcode, String problem) {
    return reset(subcode, problem, Octets.EMPTY);
  }

  private DecodeOutcome.SessionReset reset(int subcode, String problem, Octets data) {
    return new DecodeOutcome.SessionReset(
        new Notification(Notification.UPDATE_MESSAGE, subcode, data), problem, from.sample());
  }

  private boolean saw(int code) {
    return (seen[code >>> 6] & 1L << code) != 0;
  }

  private boolean hasMoreThanUnreach() {
    return seen[1] != 0
        || seen[2] != 0
        || seen[3] != 0
        || (seen[0] & ~(1L << AttributeType.MP_UNREACH_NLRI.code())) != 0;
  }

  private void readAttributes() {
    while (reset == null && from.hasMore()) {
      int start = from.position();
      int flags;
      int code = NO_TYPE;
      int length;
      try {
        flags = from.u8();
        code = from.u8();
        length = (flags & Flags.EXTENDED_LENGTH) != 0 ? from.u16() : from.u8();
      } catch (MalformedAttribute shortHeader) {
        overrun(start, code, "attribute header is cut short");
        return;
      }
      if (length > from.remaining()) {
        overrun(start, code, "attribute " + code + " overruns the attribute list");
        return;
      }
      readAttribute(flags, code, length, start);
    }
  }

  /// RFC 7606 §4: treat-as-withdraw, unless it is the routes themselves that are cut.
  private void overrun(int start, int code, String problem) {
    Octets rest = from.between(start, from.limit());
    seen[code >>> 6] |= 1L << code;
    AttributeType type = AttributeType.ofCode(code);
    if (type != null && type.onMalformed() == ErrorAction.RESET) {
      reset = reset(OPTIONAL_ATTRIBUTE_ERROR, problem, rest);
      return;
    }
    error(new AttributeError(code, problem, rest), ErrorAction.WITHDRAW);
  }

  private void readAttribute(int flags, int code, int length, int start) {
    int valueAt = from.position();
    int end = valueAt + length;
    AttributeType type = AttributeType.ofCode(code);
    if (saw(code)) {
      if (type != null && type.onMalformed() == ErrorAction.RESET) {
        // RFC 7606 §3.g: of these two a second is fatal; of any other attribute the first stands.
        reset = reset(MALFORMED_ATTRIBUTE_LIST, type + " occurs twice");
      }
      from.position(end);
      return;
    }
    seen[code >>> 6] |= 1L << code;
    if (type == null) {
      readUnrecognized(flags, code, length, start);
      return;
    }
    boolean fits = type.flagsFit(flags);
    if (!fits) {
      // RFC 7606 §3.c, whatever would otherwise become of the attribute.
      failed(type, start, end, "flags 0x" + Integer.toHexString(flags), ErrorAction.WITHDRAW);
    }
    if (type.isInternal() && !context.internal()) {
      if (fits) {
        failed(type, start, end, "from another AS", ErrorAction.DISCARD);
      }
      from.position(end);
      return;
    }
    if (type.isForTwoOctetPeers() && context.fourOctetAs()) {
      from.position(end);
      return;
    }
    int outer = from.limit();
    try {
      from.enter(length);
      readValue(type, flags);
      if (from.hasMore()) {
        throw new MalformedAttribute(length + " octets are too many");
      }
      from.leave(outer);
    } catch (MalformedAttribute malformed) {
      from.leave(outer);
      failed(type, start, end, malformed.problem(), type.onMalformed());
    }
  }

  /// Reads what lies within the limit, all of it or else it is malformed.
  private void readValue(AttributeType type, int flags) throws MalformedAttribute {
    switch (type) {
      case ORIGIN -> attributes.origin(AttributeReader.origin(from));
      case AS_PATH -> {
        path = AsPathCodec.read(from, context.fourOctetAs(), context.internal());
        attributes.asPath(path);
      }
      case NEXT_HOP -> nextHop = new Ipv4Address(from.u32());
      case MULTI_EXIT_DISC -> attributes.med(from.u32());
      case LOCAL_PREF -> attributes.localPref(from.u32());
      case ATOMIC_AGGREGATE -> {
        AttributeReader.exactly(from, 0);
        attributes.atomicAggregate();
      }
      case AGGREGATOR -> {
        PathAttribute.Aggregator read = AttributeReader.aggregator(from, context.fourOctetAs());
        aggregator = read;
        attributes.aggregator(read);
      }
      case COMMUNITIES -> attributes.communities(AttributeReader.communities(from));
      case ORIGINATOR_ID -> attributes.originatorId(AttributeReader.originatorId(from));
      case CLUSTER_LIST -> attributes.clusterList(AttributeReader.clusterList(from));
      case MP_REACH_NLRI -> readReach();
      case MP_UNREACH_NLRI -> unreach = AttributeReader.mpUnreach(from, context);
      case EXTENDED_COMMUNITIES ->
          attributes.extendedCommunities(AttributeReader.extendedCommunities(from));
      case AS4_PATH -> as4Path = AttributeReader.as4Path(from);
      case AS4_AGGREGATOR -> as4Aggregator = AttributeReader.as4Aggregator(from);
      case LARGE_COMMUNITY -> attributes.largeCommunities(AttributeReader.largeCommunities(from));
      case ONLY_TO_CUSTOMER -> attributes.put(AttributeReader.onlyToCustomer(from));
    }
    if ((flags & Flags.PARTIAL) != 0) {
      attributes.partial(type.code());
    }
  }

  private void readReach() throws MalformedAttribute {
    // Whether routes follow must be known even when the family is none of ours: then they are not
    // read, but the message is no withdrawal either.
    PathAttribute.MpReach read = AttributeReader.mpReach(from, context);
    announcesByAttribute = read == null || !read.nlri().isEmpty();
    reach = read;
  }

  private void readUnrecognized(int flags, int code, int length, int start) {
    int end = from.position() + length;
    if ((flags & Flags.OPTIONAL) == 0) {
      // RFC 4271 §6.3: an unknown well-known attribute is an error of its own kind.
      reset =
          reset(
              UNRECOGNIZED_WELL_KNOWN,
              "well-known attribute " + code + " is unknown",
              from.between(start, end));
      return;
    }
    if ((flags & Flags.TRANSITIVE) != 0) {
      // RFC 4271 §9: passed on with Partial set.
      attributes.put(
          new PathAttribute.Unrecognized(
              Flags.OPTIONAL_TRANSITIVE | Flags.PARTIAL, code, from.between(from.position(), end)));
    }
    from.position(end);
  }

  /// RFC 7606 §3.d: a missing mandatory attribute is treat-as-withdraw.
  private void requireMandatory(boolean ipv4Field) {
    require(AttributeType.ORIGIN);
    require(AttributeType.AS_PATH);
    if (ipv4Field) {
      require(AttributeType.NEXT_HOP);
    }
  }

  private void require(AttributeType type) {
    if (!saw(type.code())) {
      error(
          new AttributeError(type.code(), type + " is missing", Octets.EMPTY),
          ErrorAction.WITHDRAW);
    }
  }

  /// RFC 6793 §4.2.3: an AGGREGATOR with a real AS number means that a 4-octet speaker did not
  /// aggregate, so both AS4 attributes are ignored.
  private void reconcileTwoOctetPath() {
    if (as4Path == null && as4Aggregator == null) {
      return;
    }
    boolean aggregatedByTwoOctets = aggregator != null && !aggregator.asn().equals(Asn.TRANS);
    if (aggregatedByTwoOctets && as4Aggregator != null) {
      return;
    }
    if (as4Path != null && path != null) {
      attributes.asPath(AsPathCodec.merge(path, as4Path));
    }
    if (as4Aggregator != null && aggregator != null) {
      attributes.aggregator(
          new PathAttribute.Aggregator(as4Aggregator.asn(), as4Aggregator.speaker()));
    }
  }

  private void failed(AttributeType type, int start, int end, String problem, ErrorAction action) {
    Octets whole = from.between(start, end);
    String what = type + ": " + problem;
    if (action == ErrorAction.RESET) {
      // RFC 4760 §7: its routes cannot be located, so they cannot be withdrawn either.
      reset = reset(OPTIONAL_ATTRIBUTE_ERROR, what, whole);
      return;
    }
    AttributeError error = new AttributeError(type.code(), what, whole);
    if (type == AttributeType.NEXT_HOP) {
      nextHopError = error;
    } else {
      error(error, action);
    }
  }

  private void error(AttributeError error, ErrorAction action) {
    if (errors == null) {
      errors = new ArrayList<>();
    }
    errors.add(error);
    if (action.compareTo(worst) > 0) {
      worst = action;
    }
  }
}
