package io.margay.bgp.message;

import io.margay.model.net.Asn;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// The ASes a route came through, nearest first. Immutable; one array, because a full table holds
/// more than a hundred thousand of them.
public final class AsPath {

  /// No AS: a route of our own AS.
  public static final AsPath EMPTY = new AsPath(new int[0]);

  private static final int COUNT_MASK = 0xff;
  private static final int KIND_SHIFT = 8;

  private static final @Nullable Kind[] KINDS = {
    null, Kind.SET, Kind.SEQUENCE, Kind.CONFED_SEQUENCE, Kind.CONFED_SET
  };

  /// Per segment one word of kind and count, then its AS numbers.
  private final int[] words;

  private final int hops;

  private AsPath(int[] words) {
    this.words = words;
    this.hops = countHops(words);
  }

  public AsPath(List<Segment> segments) {
    this(words(segments));
  }

  private static int[] words(List<Segment> segments) {
    Builder builder = builder();
    for (Segment segment : segments) {
      builder.begin(segment.kind());
      for (Asn asn : segment.asns()) {
        builder.add(asn.value());
      }
    }
    return builder.words();
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
      return value < 1 || value >= KINDS.length
          ? Optional.empty()
          : Optional.ofNullable(KINDS[value]);
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

  public static Builder builder() {
    return new Builder(8);
  }

  /// @param expected how many segments and ASes to make room for
  public static Builder builder(int expected) {
    return new Builder(expected);
  }

  /// Collects segments. Serves once.
  public static final class Builder {
    private int[] words;
    private int used;
    private int head = -1;

    private Builder(int expected) {
      this.words = new int[expected];
    }

    /// Begins a segment; at least one AS must follow before the next.
    public Builder begin(Kind kind) {
      finish();
      head = used;
      append(kind.wireValue() << KIND_SHIFT);
      return this;
    }

    /// @param asn 32 bits, unsigned
    /// @throws IllegalStateException without a segment
    /// @throws IllegalArgumentException when the segment is full
    public Builder add(int asn) {
      if (head < 0) {
        throw new IllegalStateException("an AS without a segment");
      }
      if ((words[head] & COUNT_MASK) == Segment.MAX_ASNS) {
        throw new IllegalArgumentException("an AS_PATH segment has 1 to 255 ASes, not 256");
      }
      append(asn);
      words[head]++;
      return this;
    }

    private void append(int word) {
      if (used == words.length) {
        words = Arrays.copyOf(words, 2 * used + 8);
      }
      words[used] = word;
      used++;
    }

    private void finish() {
      if (head >= 0 && (words[head] & COUNT_MASK) == 0) {
        throw new IllegalArgumentException("an AS_PATH segment has 1 to 255 ASes, not 0");
      }
    }

    private int[] words() {
      finish();
      return used == words.length ? words : Arrays.copyOf(words, used);
    }

    public AsPath build() {
      return used == 0 ? EMPTY : new AsPath(words());
    }
  }

  private static Kind kind(int head) {
    return Objects.requireNonNull(KINDS[head >>> KIND_SHIFT]);
  }

  private static int count(int head) {
    return head & COUNT_MASK;
  }

  public boolean isEmpty() {
    return words.length == 0;
  }

  /// A copy, as objects.
  public List<Segment> segments() {
    List<Segment> segments = new ArrayList<>();
    for (int at = 0; at < words.length; at += 1 + count(words[at])) {
      int first = at + 1;
      int count = count(words[at]);
      segments.add(
          new Segment(
              kind(words[at]),
              new AbstractList<>() {
                @Override
                public Asn get(int index) {
                  return new Asn(words[first + index]);
                }

                @Override
                public int size() {
                  return count;
                }
              }));
    }
    return segments;
  }

  /// How many words {@link #word(int)} gives.
  public int wordCount() {
    return words.length;
  }

  /// The path without objects: for each segment a word whose low octet is the count and whose next
  /// is the kind's wire value, then as many AS numbers of 32 bits.
  public int word(int index) {
    return words[index];
  }

  /// The length the decision process compares: a set counts one, confederation segments nothing
  /// (RFC 4271 §9.1.2.2 a, RFC 5065 §5.3).
  public int hops() {
    return hops;
  }

  private static int countHops(int[] words) {
    int hops = 0;
    for (int at = 0; at < words.length; at += 1 + count(words[at])) {
      hops +=
          switch (kind(words[at])) {
            case SEQUENCE -> count(words[at]);
            case SET -> 1;
            case CONFED_SEQUENCE, CONFED_SET -> 0;
          };
    }
    return hops;
  }

  /// The octets of the attribute's value.
  ///
  /// @param width of an AS number, 2 or 4
  public int octets(int width) {
    int octets = 0;
    for (int at = 0; at < words.length; at += 1 + count(words[at])) {
      octets += 2 + width * count(words[at]);
    }
    return octets;
  }

  /// Whether a number does not fit two octets (RFC 6793 §4.2.2).
  public boolean hasFourOctetAs() {
    for (int at = 0; at < words.length; at += 1 + count(words[at])) {
      for (int i = 1; i <= count(words[at]); i++) {
        if (words[at + i] >>> Short.SIZE != 0) {
          return true;
        }
      }
    }
    return false;
  }

  /// The path less its confederation segments.
  public AsPath withoutConfederations() {
    if (!has(Kind.CONFED_SEQUENCE) && !has(Kind.CONFED_SET)) {
      return this;
    }
    Builder builder = builder();
    for (int at = 0; at < words.length; at += 1 + count(words[at])) {
      if (!kind(words[at]).isConfederation()) {
        builder.begin(kind(words[at]));
        for (int i = 1; i <= count(words[at]); i++) {
          builder.add(words[at + i]);
        }
      }
    }
    return builder.build();
  }

  public boolean contains(Asn asn) {
    return occurrences(asn) > 0;
  }

  /// How often an AS stands in the path, in whatever segment.
  public int occurrences(Asn asn) {
    int found = 0;
    for (int at = 0; at < words.length; at += 1 + count(words[at])) {
      for (int i = 1; i <= count(words[at]); i++) {
        if (words[at + i] == asn.value()) {
          found++;
        }
      }
    }
    return found;
  }

  /// Whether a segment of this kind occurs.
  public boolean has(Kind kind) {
    for (int at = 0; at < words.length; at += 1 + count(words[at])) {
      if (kind(words[at]) == kind) {
        return true;
      }
    }
    return false;
  }

  /// The neighbouring AS, when the path begins with a sequence, confederations aside.
  public Optional<Asn> first() {
    for (int at = 0; at < words.length; at += 1 + count(words[at])) {
      Kind kind = kind(words[at]);
      if (!kind.isConfederation()) {
        return kind == Kind.SEQUENCE ? Optional.of(new Asn(words[at + 1])) : Optional.empty();
      }
    }
    return Optional.empty();
  }

  /// Whether `neighbour` is the neighbouring AS.
  ///
  /// @see #first
  public boolean isFrom(Asn neighbour) {
    for (int at = 0; at < words.length; at += 1 + count(words[at])) {
      Kind kind = kind(words[at]);
      if (!kind.isConfederation()) {
        return kind == Kind.SEQUENCE && words[at + 1] == neighbour.value();
      }
    }
    return false;
  }

  /// The path with `asn` in front, in a new segment when the first is full (RFC 4271 §5.1.2).
  public AsPath prepend(Asn asn) {
    boolean extend =
        words.length > 0 && kind(words[0]) == Kind.SEQUENCE && count(words[0]) < Segment.MAX_ASNS;
    int[] longer = new int[words.length + (extend ? 1 : 2)];
    if (extend) {
      longer[0] = words[0] + 1;
      System.arraycopy(words, 1, longer, 2, words.length - 1);
    } else {
      longer[0] = (Kind.SEQUENCE.wireValue() << KIND_SHIFT) + 1;
      System.arraycopy(words, 0, longer, 2, words.length);
    }
    longer[1] = asn.value();
    return new AsPath(longer);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof AsPath that && Arrays.equals(words, that.words);
  }

  @Override
  public int hashCode() {
    return Hash.of(words);
  }

  /// As routers print it: sets in braces, confederation sequences in parentheses.
  @Override
  public String toString() {
    return segments().stream()
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
