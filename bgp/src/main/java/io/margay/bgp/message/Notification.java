package io.margay.bgp.message;

import java.nio.charset.StandardCharsets;

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

  /// Subcodes of {@link #CEASE} (RFC 4486).
  public static final int CEASE_SHUTDOWN = 2;

  public static final int CEASE_PEER_REMOVED = 3;
  public static final int CEASE_CONFIGURATION_CHANGE = 6;
  public static final int CEASE_COLLISION = 7;
  public static final int CEASE_OUT_OF_RESOURCES = 8;

  /// Longest shutdown text shown (RFC 9003 §2).
  private static final int MAX_TEXT_OCTETS = 255;

  public Notification {
    if (code < 0 || code > 0xff || subcode < 0 || subcode > 0xff) {
      throw new IllegalArgumentException(
          "NOTIFICATION " + code + "/" + subcode + " is out of range");
    }
  }

  public static Notification of(int code, int subcode) {
    return new Notification(code, subcode, Octets.EMPTY);
  }

  /// The error in words, with the peer's own text where it sent one (RFC 9003), stripped of control
  /// characters.
  public String describe() {
    String text = shutdownText();
    return name() + " (" + code + "/" + subcode + ")" + (text.isEmpty() ? "" : ": " + text);
  }

  private String shutdownText() {
    if (code != CEASE || subcode != 2 && subcode != 4 || data.length() < 1) {
      return "";
    }
    byte[] bytes = data.toBytes();
    int length = Math.min(bytes[0] & 0xff, Math.min(bytes.length - 1, MAX_TEXT_OCTETS));
    return new String(bytes, 1, length, StandardCharsets.UTF_8)
        .codePoints()
        .map(point -> Character.isISOControl(point) ? ' ' : point)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString()
        .strip();
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
      case STATE_MACHINE -> "Unexpected message";
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
      case ROUTE_REFRESH_MESSAGE -> "ROUTE-REFRESH message error";
      default -> "Error";
    };
  }
}
