package io.margay.cli.resource;

import io.margay.model.resource.Kind;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The words kinds go by on the command line: completed by shells, and guessed at when misspelt.
final class KindWords implements Iterable<String> {

  /// More letters to change than this, and it is another word.
  private static final int MAX_DISTANCE = 3;

  @Override
  public Iterator<String> iterator() {
    return Stream.concat(stored().map(Kind::plural), View.words().stream()).sorted().iterator();
  }

  private static Stream<Kind> stored() {
    return Arrays.stream(Kind.values()).filter(Kind::isStoredAsResource);
  }

  /// What to say of a word that is no kind.
  static String unknown(String word) {
    String lower = word.toLowerCase(Locale.ROOT);
    List<String> words =
        Stream.concat(
                stored()
                    .flatMap(
                        kind -> Stream.of(kind.kindName().toLowerCase(Locale.ROOT), kind.plural())),
                View.words().stream())
            .toList();
    String nearest =
        words.stream()
            .min((one, other) -> Integer.compare(distance(lower, one), distance(lower, other)))
            .orElse("");
    boolean guessed = distance(lower, nearest) <= Math.min(MAX_DISTANCE, lower.length() / 2);
    return "\""
        + word
        + "\" is not a kind; "
        + (guessed ? "did you mean " + nearest + "? Known are " : "known are ")
        + Stream.concat(
                stored().map(kind -> kind.kindName().toLowerCase(Locale.ROOT)),
                View.words().stream())
            .sorted()
            .collect(Collectors.joining(", "));
  }

  /// Letters to insert, delete or change to make one word the other.
  static int distance(String one, String other) {
    int[] row = new int[other.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= one.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int change = diagonal + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(change, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[other.length()];
  }
}
