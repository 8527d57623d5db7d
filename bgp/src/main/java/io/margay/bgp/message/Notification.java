package io.margay.bgp.message;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/// Why a session ends (RFC 4271 §4.5). The sender closes the connection after it.
///
/// @param code the error, RFC 4271 §4.5
/// @param subcode its detail, 0 if there is none
/// @param data depends on both
public record Notification(int code, int subcode, Octets data) implements Message {

  public static final int MESSAGE_HEADER = 1;
  public static final int OPEN_MESSAGE = 2;
  public static final int UPDATE_MESSAGE = 3;
  public static final int HOLD_TIMER_EXPIRED = 4;
  public static final int STATE_MACHINE = 5;
  public static final int CEASE = 6;
  public static final int ROUTE_REFRESH_MESSAGE = 7;

  /// RFC 9687.
  public static final int SEND_HOLD_TIMER_EXPIRED = 8;

  /// Subcodes of {@link #CEASE} (RFC 4486, RFC 8538, RFC 9384).
  public static final int CEASE_MAX_PREFIX = 1;

  public static final int CEASE_SHUTDOWN = 2;
  public static final int CEASE_PEER_REMOVED = 3;
  public static final int CEASE_RESET = 4;
  public static final int CEASE_REJECTED = 5;
  public static final int CEASE_CONFIGURATION_CHANGE = 6;
  public static final int CEASE_COLLISION = 7;
  public static final int CEASE_OUT_OF_RESOURCES = 8;
  public static final int CEASE_HARD_RESET = 9;
  public static final int CEASE_BFD_DOWN = 10;

  /// Longest shutdown text (RFC 9003 §2).
  public static final int MAX_TEXT_OCTETS = 255;

  /// What a message of 4096 octets has room for.
  public static final int MAX_DATA_OCTETS = 4096 - 21;

  /// AFI, SAFI and the limit (RFC 4486 §4).
  private static final int MAX_PREFIX_DATA_OCTETS = 7;

  /// Longest data shown in words.
  private static final int MAX_SHOWN_OCTETS = 32;

  /// Data beyond {@link #MAX_DATA_OCTETS} is cut off.
  public Notification {
    if (code < 0 || code > 0xff || subcode < 0 || subcode > 0xff) {
      throw new IllegalArgumentException(
          "NOTIFICATION " + code + "/" + subcode + " is out of range");
    }
    data = data.first(MAX_DATA_OCTETS);
  }

  public static Notification of(int code, int subcode) {
    return new Notification(code, subcode, Octets.EMPTY);
  }

  /// An administrator's shutdown or reset with a text for the peer's administrator (RFC 9003 §2).
  ///
  /// @param subcode {@link #CEASE_SHUTDOWN} or {@link #CEASE_RESET}
  /// @param text cut to {@link #MAX_TEXT_OCTETS} octets of UTF-8 between characters; empty: none
  public static Notification shutdown(int subcode, String text) {
    if (subcode != CEASE_SHUTDOWN && subcode != CEASE_RESET) {
      throw new IllegalArgumentException("Cease/" + subcode + " carries no shutdown text");
    }
    byte[] octets = text.getBytes(StandardCharsets.UTF_8);
    int length = Math.min(octets.length, MAX_TEXT_OCTETS);
    while (length < octets.length && length > 0 && (octets[length] & 0xc0) == 0x80) {
      length--;
    }
    if (length == 0) {
      return of(CEASE, subcode);
    }
    byte[] data = new byte[1 + length];
    data[0] = (byte) length;
    System.arraycopy(octets, 0, data, 1, length);
    return new Notification(CEASE, subcode, Octets.of(data));
  }

  /// The peer sent more prefixes of a family than we take (RFC 4486 §4).
  public static Notification maxPrefix(AfiSafi family, long limit) {
    int clamped = (int) Math.min(limit, 0xffff_ffffL);
    byte[] data =
        ByteBuffer.allocate(MAX_PREFIX_DATA_OCTETS)
            .putShort((short) family.afi())
            .put((byte) family.safi())
            .putInt(clamped)
            .array();
    return new Notification(CEASE, CEASE_MAX_PREFIX, Octets.of(data));
  }

  /// Ends the session and what graceful restart would keep of it (RFC 8538 §3).
  ///
  /// @param reason the NOTIFICATION this would have been without graceful restart
  public static Notification hardReset(Notification reason) {
    byte[] inner = reason.data().toBytes();
    byte[] data = new byte[2 + inner.length];
    data[0] = (byte) reason.code();
    data[1] = (byte) reason.subcode();
    System.arraycopy(inner, 0, data, 2, inner.length);
    return new Notification(CEASE, CEASE_HARD_RESET, Octets.of(data));
  }

  /// Whether routes go at once whatever was agreed on restarts; also without a reason inside.
  public boolean isHardReset() {
    return code == CEASE && subcode == CEASE_HARD_RESET;
  }

  /// What a hard reset was sent for, when it says so.
  public Optional<Notification> hardResetReason() {
    if (!isHardReset() || data.length() < 2) {
      return Optional.empty();
    }
    byte[] bytes = data.toBytes();
    return Optional.of(
        new Notification(
            bytes[0] & 0xff,
            bytes[1] & 0xff,
            Octets.of(Arrays.copyOfRange(bytes, 2, bytes.length))));
  }

  /// The peer's own words in a shutdown or reset (RFC 9003), on one line; empty if there are none
  /// or their length contradicts the message.
  public String shutdownText() {
    if (code != CEASE || subcode != CEASE_SHUTDOWN && subcode != CEASE_RESET || data.length() < 1) {
      return "";
    }
    byte[] bytes = data.toBytes();
    int length = bytes[0] & 0xff;
    if (length > bytes.length - 1) {
      return "";
    }
    return new String(bytes, 1, length, StandardCharsets.UTF_8)
        .codePoints()
        .map(point -> isHarmless(point) ? point : ' ')
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString()
        .strip();
  }

  /// Control and format characters forge log lines or turn their direction.
  private static boolean isHarmless(int point) {
    return switch (Character.getType(point)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.PRIVATE_USE,
          Character.SURROGATE,
          Character.UNASSIGNED ->
          false;
      default -> true;
    };
  }

  /// The error in words, with what the data says.
  public String describe() {
    return describe(1);
  }

  private String describe(int depth) {
    String detail = detail(depth);
    return name() + " (" + code + "/" + subcode + ")" + (detail.isEmpty() ? "" : ": " + detail);
  }

  private String detail(int depth) {
    if (isHardReset() && depth > 0) {
      return hardResetReason().map(reason -> reason.describe(depth - 1)).orElse("");
    }
    byte[] bytes = data.toBytes();
    if (code == CEASE && (subcode == CEASE_SHUTDOWN || subcode == CEASE_RESET)) {
      return shutdownText();
    }
    if (code == CEASE && subcode == CEASE_MAX_PREFIX && bytes.length == MAX_PREFIX_DATA_OCTETS) {
      ByteBuffer fields = ByteBuffer.wrap(bytes);
      AfiSafi family =
          new AfiSafi(Short.toUnsignedInt(fields.getShort()), Byte.toUnsignedInt(fields.get()));
      return family + ", limit " + Integer.toUnsignedString(fields.getInt());
    }
    if (code == MESSAGE_HEADER && subcode == 2 && bytes.length == 2) {
      return "length " + Short.toUnsignedInt(ByteBuffer.wrap(bytes).getShort());
    }
    if (bytes.length == 0) {
      return "";
    }
    return "data "
        + data.first(MAX_SHOWN_OCTETS)
        + (bytes.length > MAX_SHOWN_OCTETS ? " (" + bytes.length + " octets)" : "");
  }

  private String name() {
    return switch (code) {
      case MESSAGE_HEADER ->
          switch (subcode) {
            case 1 -> "Connection not synchronized";
            case 2 -> "Bad message length";
            case 3 -> "Bad message type";
            default -> "Message header error";
          };
      case OPEN_MESSAGE ->
          switch (subcode) {
            case 1 -> "Unsupported version number";
            case 2 -> "Bad peer AS";
            case 3 -> "Bad BGP identifier";
            case 4 -> "Unsupported optional parameter";
            case 6 -> "Unacceptable hold time";
            case 7 -> "Unsupported capability";
            case 11 -> "Role mismatch";
            default -> "OPEN message error";
          };
      case UPDATE_MESSAGE ->
          switch (subcode) {
            case 1 -> "Malformed attribute list";
            case 2 -> "Unrecognized well-known attribute";
            case 3 -> "Missing well-known attribute";
            case 4 -> "Attribute flags error";
            case 5 -> "Attribute length error";
            case 6 -> "Invalid ORIGIN";
            case 8 -> "Invalid NEXT_HOP";
            case 9 -> "Optional attribute error";
            case 10 -> "Invalid network field";
            case 11 -> "Malformed AS_PATH";
            default -> "UPDATE message error";
          };
      case HOLD_TIMER_EXPIRED -> "Hold timer expired";
      case SEND_HOLD_TIMER_EXPIRED -> "Send hold timer expired";
      case STATE_MACHINE ->
          switch (subcode) {
            case 1 -> "Unexpected message in OpenSent";
            case 2 -> "Unexpected message in OpenConfirm";
            case 3 -> "Unexpected message in Established";
            default -> "Unexpected message";
          };
      case CEASE ->
          switch (subcode) {
            case 1 -> "Maximum number of prefixes reached";
            case 2 -> "Administrative shutdown";
            case 3 -> "Peer de-configured";
            case 4 -> "Administrative reset";
            case 5 -> "Connection rejected";
            case 6 -> "Other configuration change";
            case 7 -> "Connection collision resolution";
            case 8 -> "Out of resources";
            case 9 -> "Hard reset";
            case 10 -> "BFD down";
            default -> "Cease";
          };
      case ROUTE_REFRESH_MESSAGE ->
          subcode == 1 ? "Bad ROUTE-REFRESH length" : "ROUTE-REFRESH message error";
      default -> "Error";
    };
  }
}
