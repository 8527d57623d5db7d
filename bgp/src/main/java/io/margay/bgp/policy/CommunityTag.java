package io.margay.bgp.policy;

import io.margay.bgp.message.Community;
import io.margay.bgp.message.LargeCommunity;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import java.util.ArrayList;
import java.util.List;

/// A community of either kind that a filter can look for or add: `aa:nn` or `aa:nn:mm`.
public sealed interface CommunityTag {

  /// RFC 1997.
  record Standard(Community community) implements CommunityTag {
    @Override
    public String toString() {
      return community.toString();
    }
  }

  /// RFC 8092.
  record Large(LargeCommunity community) implements CommunityTag {
    @Override
    public String toString() {
      return community.toString();
    }
  }

  /// Parses two numbers up to 65535, or three up to 4294967295, without leading zeros.
  ///
  /// @throws IllegalArgumentException naming the text
  static CommunityTag parse(String text) {
    String[] parts = text.split(":", -1);
    return switch (parts.length) {
      case 2 -> {
        long high = number(parts[0], 0xffff, text);
        long low = number(parts[1], 0xffff, text);
        yield new Standard(new Community((int) (high << 16 | low)));
      }
      case 3 ->
          new Large(
              new LargeCommunity(
                  (int) number(parts[0], 0xffff_ffffL, text),
                  (int) number(parts[1], 0xffff_ffffL, text),
                  (int) number(parts[2], 0xffff_ffffL, text)));
      default -> throw malformed(text);
    };
  }

  private static long number(String digits, long most, String text) {
    boolean canonical =
        !digits.isEmpty()
            && digits.length() <= 10
            && digits.chars().allMatch(c -> c >= '0' && c <= '9')
            && (digits.length() == 1 || digits.charAt(0) != '0');
    if (!canonical || Long.parseLong(digits) > most) {
      throw malformed(text);
    }
    return Long.parseLong(digits);
  }

  private static IllegalArgumentException malformed(String text) {
    return new IllegalArgumentException(
        "\""
            + text
            + "\" is not a community: aa:nn with numbers up to "
            + "65535, or aa:nn:mm with numbers up to 4294967295");
  }

  /// Whether a route carries it.
  default boolean isOn(PathAttributes attributes) {
    return switch (this) {
      case Standard(Community community) -> attributes.communities().contains(community);
      case Large(LargeCommunity community) ->
          attributes.largeCommunities().communities().contains(community);
    };
  }

  /// The attributes with this community behind those already there; the same if it is there.
  default PathAttributes addTo(PathAttributes attributes) {
    if (isOn(attributes)) {
      return attributes;
    }
    return switch (this) {
      case Standard(Community community) -> {
        List<Community> all = new ArrayList<>(attributes.communities().communities());
        all.add(community);
        yield attributes.with(new PathAttribute.Communities(all));
      }
      case Large(LargeCommunity community) -> {
        List<LargeCommunity> all = new ArrayList<>(attributes.largeCommunities().communities());
        all.add(community);
        yield attributes.with(new PathAttribute.LargeCommunities(all));
      }
    };
  }
}
