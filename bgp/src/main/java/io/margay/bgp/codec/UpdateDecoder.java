package io.margay.bgp.codec;

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
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Reads one UPDATE and decides its fate by RFC 7606. An instance serves one message.
final class UpdateDecoder {

  private final CodecContext context;
  private final PathAttributes.Builder attributes = PathAttributes.builder();
  private final List<AttributeError> errors = new ArrayList<>();
  private final boolean[] seen = new boolean[256];
  private PathAttribute.@Nullable MpReach reach;
  private PathAttribute.@Nullable MpUnreach unreach;
  private @Nullable Ipv4Address nextHop;
  private @Nullable AsPath path;
  private @Nullable AsPath as4Path;
  private PathAttribute.@Nullable Aggregator aggregator;
  private PathAttribute.@Nullable As4Aggregator as4Aggregator;
  private boolean sawReach;
  private ErrorAction worst = ErrorAction.DISCARD;
  private DecodeOutcome.@Nullable SessionReset reset;

  private UpdateDecoder(CodecContext context) {
    this.context = context;
  }

  /// @param body the message after its header
  static DecodeOutcome decode(ByteBuf body, CodecContext context) {
    return new UpdateDecoder(context).decode(body);
  }

  private DecodeOutcome decode(ByteBuf body) {
    // RFC 7606 §4: lengths that contradict the message leave the fields undelimited.
    if (body.readableBytes() < 4) {
      return malformedList("UPDATE is shorter than its fixed fields");
    }
    int withdrawnLength = body.readUnsignedShort();
    if (body.readableBytes() < withdrawnLength + 2) {
      return malformedList("withdrawn routes overrun the UPDATE");
    }
    ByteBuf withdrawnField = body.readSlice(withdrawnLength);
    int attributesLength = body.readUnsignedShort();
    if (body.readableBytes() < attributesLength) {
      return malformedList("attributes overrun the UPDATE");
    }
    ByteBuf attributesField = body.readSlice(attributesLength);
    Nlri withdrawn;
    Nlri announced;
    try {
      withdrawn = PrefixCodec.read(withdrawnField, IpFamily.IPV4);
      announced = PrefixCodec.read(body, IpFamily.IPV4);
    } catch (MalformedAttribute malformed) {
      // RFC 7606 §5.3: an NLRI field that cannot be delimited resets the session.
      return new DecodeOutcome.SessionReset(
          Notification.of(Notification.UPDATE_MESSAGE, 10), malformed.problem(), Octets.EMPTY);
    }
    readAttributes(attributesField);
    if (reset != null) {
      return reset;
    }
    boolean announces = !announced.isEmpty() || sawReach;
    if (announces) {
      requireMandatory(!announced.isEmpty());
    }
    reconcileTwoOctetPath();
    Update update = new Update(withdrawn, unreach, attributes.build(), nextHop, announced, reach);
    if (errors.isEmpty()) {
      return new DecodeOutcome.Accepted(update);
    }
    if (worst == ErrorAction.DISCARD) {
      return new DecodeOutcome.AttributeDiscard(update, errors, Octets.EMPTY);
    }
    if (!announces) {
      // RFC 7606 §5.2: without reachable NLRI an error beyond attribute discard resets the session,
      // because the routes it was about may be in what could not be read.
      return new DecodeOutcome.SessionReset(
          Notification.of(Notification.UPDATE_MESSAGE, 1),
          errors.getFirst().problem(),
          Octets.EMPTY);
    }
    return new DecodeOutcome.TreatAsWithdraw(update.asWithdrawal(), errors, Octets.EMPTY);
  }

  private static DecodeOutcome malformedList(String problem) {
    return new DecodeOutcome.SessionReset(
        Notification.of(Notification.UPDATE_MESSAGE, 1), problem, Octets.EMPTY);
  }

  private void readAttributes(ByteBuf field) {
    while (field.isReadable() && reset == null) {
      // RFC 7606 §4: too little left for a header, or a length beyond the end, is
      // treat-as-withdraw; the total length still tells where the NLRI begins.
      if (field.readableBytes() < 3) {
        fail(0, "attribute header is cut short", field, ErrorAction.WITHDRAW);
        return;
      }
      int flags = field.readUnsignedByte();
      int code = field.readUnsignedByte();
      boolean extended = (flags & AttributeRow.EXTENDED_LENGTH) != 0;
      if (extended && field.readableBytes() < 2) {
        fail(code, "attribute header is cut short", field, ErrorAction.WITHDRAW);
        return;
      }
      int length = extended ? field.readUnsignedShort() : field.readUnsignedByte();
      if (field.readableBytes() < length) {
        fail(code, "attribute overruns the attribute list", field, ErrorAction.WITHDRAW);
        return;
      }
      readAttribute(flags, code, field.readSlice(length));
    }
  }

  private void readAttribute(int flags, int code, ByteBuf value) {
    AttributeRow<?> row = AttributeTable.find(code).orElse(null);
    if (seen[code]) {
      // RFC 7606 §3.g: a second MP_REACH_NLRI or MP_UNREACH_NLRI resets the session; of any other
      // attribute the first stands.
      if (row != null && row.onMalformed() == ErrorAction.RESET) {
        fail(code, row.name() + " occurs twice", value, ErrorAction.RESET);
      }
      return;
    }
    seen[code] = true;
    if (row == null) {
      readUnrecognized(flags, code, value);
      return;
    }
    ByteBuf whole = value.duplicate();
    boolean fits = row.flagsFit(flags);
    if (fits && row.internalOnly() && !context.internal()) {
      // RFC 7606 §7.5, §7.9, §7.10: from another AS, discarded.
      fail(code, row.name() + " from another AS", whole, ErrorAction.DISCARD);
      return;
    }
    if (fits && context.fourOctetAs() && (code == 17 || code == 18)) {
      // RFC 6793 §4.1: from a 4-octet speaker these mean nothing.
      return;
    }
    PathAttribute attribute;
    try {
      attribute = row.decoder().decode(value, context);
    } catch (MalformedAttribute malformed) {
      fail(code, row.name() + ": " + malformed.problem(), whole, row.onMalformed());
      return;
    } catch (IndexOutOfBoundsException | IllegalArgumentException unforeseen) {
      fail(code, row.name() + ": " + unforeseen.getMessage(), whole, row.onMalformed());
      return;
    }
    keep(attribute);
    if (!fits) {
      // RFC 7606 §3.c: a conflict of the Optional, Transitive or Partial bits is
      // treat-as-withdraw.
      fail(
          code,
          row.name() + " with flags 0x" + Integer.toHexString(flags),
          whole,
          ErrorAction.WITHDRAW);
    }
  }

  private void keep(PathAttribute attribute) {
    switch (attribute) {
      case PathAttribute.MpReach mpReach -> {
        sawReach = !mpReach.nlri().isEmpty();
        reach = context.families().contains(mpReach.family()) ? mpReach : null;
      }
      // Kept even when the family is not exchanged (it then names no prefix): without it the
      // message would look like the IPv4 End-of-RIB.
      case PathAttribute.MpUnreach mpUnreach -> unreach = mpUnreach;
      case PathAttribute.NextHop(Ipv4Address address) -> nextHop = address;
      case PathAttribute.As4Path(AsPath of4) -> as4Path = of4;
      case PathAttribute.As4Aggregator of4 -> as4Aggregator = of4;
      case PathAttribute.AsPathAttribute as -> {
        path = as.path();
        attributes.put(as);
      }
      case PathAttribute.Aggregator by -> {
        aggregator = by;
        attributes.put(by);
      }
      case PathAttribute.Origin _,
          PathAttribute.MultiExitDisc _,
          PathAttribute.LocalPref _,
          PathAttribute.AtomicAggregate _,
          PathAttribute.Communities _,
          PathAttribute.OriginatorId _,
          PathAttribute.ClusterList _,
          PathAttribute.ExtendedCommunities _,
          PathAttribute.LargeCommunities _,
          PathAttribute.Unrecognized _ ->
          attributes.put(attribute);
    }
  }

  private void readUnrecognized(int flags, int code, ByteBuf value) {
    if ((flags & AttributeRow.OPTIONAL) == 0) {
      // RFC 4271 §6.3: an unknown well-known attribute is an error of its own kind.
      reset =
          new DecodeOutcome.SessionReset(
              new Notification(Notification.UPDATE_MESSAGE, 2, octets(value)),
              "well-known attribute " + code + " is unknown",
              Octets.EMPTY);
      return;
    }
    if ((flags & AttributeRow.TRANSITIVE) != 0) {
      int kept = AttributeRow.OPTIONAL_TRANSITIVE | AttributeRow.PARTIAL;
      attributes.put(new PathAttribute.Unrecognized(kept, code, octets(value)));
    }
  }

  /// RFC 7606 §3.d: a missing mandatory attribute is treat-as-withdraw.
  private void requireMandatory(boolean ipv4Field) {
    requireSeen(1, "ORIGIN");
    requireSeen(2, "AS_PATH");
    if (ipv4Field) {
      requireSeen(3, "NEXT_HOP");
    }
  }

  private void requireSeen(int code, String name) {
    if (!seen[code]) {
      errors.add(new AttributeError(code, name + " is missing", Octets.EMPTY));
      worsen(ErrorAction.WITHDRAW);
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
      attributes.put(new PathAttribute.AsPathAttribute(AsPathCodec.merge(path, as4Path)));
    }
    if (as4Aggregator != null && aggregator != null) {
      attributes.put(new PathAttribute.Aggregator(as4Aggregator.asn(), as4Aggregator.speaker()));
    }
  }

  private void fail(int code, String problem, ByteBuf value, ErrorAction action) {
    errors.add(new AttributeError(code, problem, octets(value)));
    worsen(action);
    if (action == ErrorAction.RESET) {
      int subcode = problem.endsWith("twice") ? 1 : 9;
      reset =
          new DecodeOutcome.SessionReset(
              Notification.of(Notification.UPDATE_MESSAGE, subcode), problem, Octets.EMPTY);
    }
  }

  private void worsen(ErrorAction action) {
    if (action.compareTo(worst) > 0) {
      worst = action;
    }
  }

  private static Octets octets(ByteBuf value) {
    byte[] bytes = new byte[value.readableBytes()];
    value.getBytes(value.readerIndex(), bytes);
    return Octets.of(bytes);
  }
}
