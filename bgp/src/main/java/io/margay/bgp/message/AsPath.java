package io.margay.bgp.message;

import io.margay.model.net.Asn;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// The ASes a route came through, nearest first. Immutable; one array, because a full table holds
/// more than a hundred thousand of them.
public final class AsPath {

  /// No AS: a route of our own AS.
  public static final AsPath EMPTY = new AsPath(new int[0]);

  private static final int COUNT_MASK = 0xff;
  private static final int KIND_SHIFT = 8;

  /// Per segment one word of kind and count, then its AS numbers.
  private final int[] words;

  private AsPath(int[] words) {
    this.words = words;
  }

  public AsPath(List<Segment> segments) {
    this(words(segments));
  }

  private static int[] words(List<Segment> segments) {
    Builder builder = new Builder();
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
      return switch (value) {
        case 1 -> Optional.of(SET);
        case 2 -> Optional.of(SEQUENCE);
        case 3 -> Optional.of(CONFED_SEQUENCE);
        case 4 -> Optional.of(CONFED_SET);
        default -> Optional.empty();
      };
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
    return new Builder();
  }

  /// Collects segments. Serves once.
  public static final class Builder {
    private int[] words = new int[8];
    private int used;
    private int head = -1;

    private Builder() {}

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
        words = Arrays.copyOf(words, 2 * used);
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
      return Arrays.copyOf(words, used);
    }

    public AsPath build() {
      return used == 0 ? EMPTY : new AsPath(words());
    }
  }

  private static Kind kind(int head) {
    return Kind.ofWire(head >>> KIND_SHIFT).orElseThrow();
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

  /// What walks a path without making objects of it.
  public interface Visitor {
    /// @param count how many ASes follow, 1 to 255
    void segment(Kind kind, int count);

    /// @param asn 32 bits, unsigned
    void asn(int asn);
  }

  public void visit(Visitor visitor) {
    for (int at = 0; at < words.length; at += 1 + count(words[at])) {
      visitor.segment(kind(words[at]), count(words[at]));
      for (int i = 1; i <= count(words[at]); i++) {
        visitor.asn(words[at + i]);
      }
    }
  }

  /// The length the decision process compares: a set counts one, confederation segments nothing
  /// (RFC 4271 §9.1.2.2 a, RFC 5065 §5.3).
  public int hops() {
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
    return Arrays.hashCode(words);
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
