package io.margay.datastore.json;

import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.CharacterEscapes;
import com.fasterxml.jackson.core.io.SerializedString;
import org.jspecify.annotations.Nullable;

/// Which characters of a text Go's JSON encoder escapes, and how: beyond what JSON demands those
/// that HTML and JavaScript trip over.
final class GoEscapes extends CharacterEscapes {

  private static final long serialVersionUID = 1;

  private final int[] ascii = standardAsciiEscapesForJSON();

  GoEscapes() {
    for (int c = 0; c < ' '; c++) {
      // Those with a letter of their own keep it; Go's other escapes have small hexadecimal digits.
      if (ascii[c] == ESCAPE_STANDARD) {
        ascii[c] = ESCAPE_CUSTOM;
      }
    }
    ascii['<'] = ESCAPE_CUSTOM;
    ascii['>'] = ESCAPE_CUSTOM;
    ascii['&'] = ESCAPE_CUSTOM;
  }

  @Override
  public int[] getEscapeCodesForAscii() {
    return ascii.clone();
  }

  @Override
  public @Nullable SerializableString getEscapeSequence(int c) {
    boolean escaped = c < ' ' || c == '<' || c == '>' || c == '&' || c == 0x2028 || c == 0x2029;
    return escaped ? new SerializedString("\\u%04x".formatted(c)) : null;
  }
}
