package io.margay.bgp.message;

import io.margay.model.net.Asn;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// The ASes a route came through, nearest first.
public record AsPath(List<Segment> segments) {

  /// No AS: a route of our own AS.
  public static final AsPath EMPTY = new AsPath(List.of());

  public AsPath {
    segments = List.copyOf(segments);
  }

  /// The kinds of RFC 4271 §4.3 and RFC 5065 §3, by wire value.
  public enum Kind {
    SET(1),
    SEQUENCE(2),
    CONFED_SEQUENCE(3),
    CONFED_SET(4);

    private final int wireValue;

    Kind(int wireValue) {
      this.wireValue = wireValue;
    }

    public int wireValue() {
      return wireValue;
    }

    public boolean isConfederation() {
      return this == CONFED_SEQUENCE || this == CONFED_SET;
    }

    public static Optional<Kind> ofWire(int value) {
      for (Kind kind : values()) {
        if (kind.wireValue == value) {
          return Optional.of(kind);
        }
      }
      return Optional.empty();
    }
  }

  /// @param asns 1 to 255
  public record Segment(Kind kind, List<Asn> asns) {

    /// The count is one octet.
    public static final int MAX_ASNS = 255;

    public Segment {
      asns = List.copyOf(asns);
      if (asns.isEmpty() || asns.size() > MAX_ASNS) {
        throw new IllegalArgumentException(
            "an AS_PATH segment has 1 to 255 ASes, not " + asns.size());
      }
    }
  }

  /// One AS_SEQUENCE.
  public static AsPath of(Asn... asns) {
    return new AsPath(List.of(new Segment(Kind.SEQUENCE, List.of(asns))));
  }

  /// The length the decision process compares: a set counts one, confederation segments nothing
  /// (RFC 4271 §9.1.2.2 a, RFC 5065 §5.3).
  public int hops() {
    int hops = 0;
    for (Segment segment : segments) {
      hops +=
          switch (segment.kind()) {
            case SEQUENCE -> segment.asns().size();
            case SET -> 1;
            case CONFED_SEQUENCE, CONFED_SET -> 0;
          };
    }
    return hops;
  }

  public boolean contains(Asn asn) {
    for (Segment segment : segments) {
      if (segment.asns().contains(asn)) {
        return true;
      }
    }
    return false;
  }

  /// The neighbouring AS, when the path begins with a sequence.
  public Optional<Asn> first() {
    for (Segment segment : segments) {
      if (!segment.kind().isConfederation()) {
        return segment.kind() == Kind.SEQUENCE
            ? Optional.of(segment.asns().getFirst())
            : Optional.empty();
      }
    }
    return Optional.empty();
  }

  /// The path with `asn` in front, in a new segment when the first is full (RFC 4271 §5.1.2).
  public AsPath prepend(Asn asn) {
    List<Segment> longer = new ArrayList<>(segments);
    if (!longer.isEmpty()
        && longer.getFirst().kind() == Kind.SEQUENCE
        && longer.getFirst().asns().size() < Segment.MAX_ASNS) {
      List<Asn> asns = new ArrayList<>();
      asns.add(asn);
      asns.addAll(longer.getFirst().asns());
      longer.set(0, new Segment(Kind.SEQUENCE, asns));
    } else {
      longer.addFirst(new Segment(Kind.SEQUENCE, List.of(asn)));
    }
    return new AsPath(longer);
  }

  /// As routers print it: sets in braces, confederation sequences in parentheses.
  @Override
  public String toString() {
    return segments.stream()
        .map(
            segment -> {
              String asns =
                  segment.asns().stream().map(Asn::toString).collect(Collectors.joining(" "));
              return switch (segment.kind()) {
                case SEQUENCE -> asns;
                case SET -> "{" + asns + "}";
                case CONFED_SEQUENCE -> "(" + asns + ")";
                case CONFED_SET -> "[" + asns + "]";
              };
            })
        .collect(Collectors.joining(" "));
  }
}
