package io.margay.cni.protocol;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.Map;

/// Octets ⇄ requests and replies; the layout is drawn in the package's documentation. Stateless.
public final class CniFrame {

  /// What we speak, and the oldest version we understand.
  public static final int VERSION = 1;

  public static final int OLDEST_VERSION = 1;

  static final int HEADER_OCTETS = 12;

  /// The largest body either side takes: 1 MiB of configuration, 10 variables of 32 KiB, the
  /// headers, and room.
  public static final int MAX_BODY_OCTETS = 4 << 20;

  private static final int MAGIC = 'M' << 24 | 'G' << 16 | 'Y' << 8 | 'C';
  private static final int FIELD_OCTETS = 8;
  private static final int FIELD_STDIN = 16;
  private static final int FIELD_PROGRAM = 17;
  private static final int REPLY_EXIT_CODE = 1;
  private static final int REPLY_STDOUT = 2;
  private static final int REPLY_STDERR = 3;

  private CniFrame() {}

  /// What a frame holds.
  enum Kind {
    REQUEST(1),
    REPLY(2);

    private final int code;

    Kind(int code) {
      this.code = code;
    }
  }

  /// A checked header.
  ///
  /// @param version what the sender speaks
  /// @param oldest the oldest version the sender understands
  /// @param bodyOctets how much follows
  record Header(int version, int oldest, int bodyOctets) {

    /// Whether both sides understand a common version.
    boolean isCompatible() {
      return version >= OLDEST_VERSION && oldest <= VERSION;
    }
  }

  /// @param octets the first {@link #HEADER_OCTETS} of a frame
  static Header header(ByteBuffer octets, Kind expected) throws MalformedFrameException {
    if (octets.remaining() < HEADER_OCTETS) {
      throw new MalformedFrameException(
          "a frame header has " + HEADER_OCTETS + " octets, not " + octets.remaining());
    }
    int magic = octets.getInt();
    int version = octets.get() & 0xff;
    int oldest = octets.get() & 0xff;
    int kind = octets.getShort() & 0xffff;
    int length = octets.getInt();
    if (magic != MAGIC || kind != expected.code) {
      throw new MalformedFrameException("not a margay frame of kind " + expected);
    }
    if (length < 0 || length > MAX_BODY_OCTETS) {
      throw new MalformedFrameException(
          "a frame announces "
              + Integer.toUnsignedString(length)
              + " octets; at most "
              + MAX_BODY_OCTETS
              + " are allowed");
    }
    return new Header(version, oldest, length);
  }

  /// A whole request, as sent and as queued on disk.
  public static byte[] encode(CniRequest request) {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    for (CniVariable variable : CniVariable.values()) {
      String value = request.environment().get(variable);
      if (value != null) {
        field(body, variable.fieldType(), value.getBytes(StandardCharsets.UTF_8));
      }
    }
    field(body, FIELD_PROGRAM, request.program().getBytes(StandardCharsets.UTF_8));
    field(body, FIELD_STDIN, request.stdin());
    return frame(Kind.REQUEST, body);
  }

  static byte[] encode(CniReply reply) {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    field(body, REPLY_EXIT_CODE, ByteBuffer.allocate(4).putInt(reply.exitCode()).array());
    field(body, REPLY_STDOUT, reply.stdout().getBytes(StandardCharsets.UTF_8));
    field(body, REPLY_STDERR, reply.stderr().getBytes(StandardCharsets.UTF_8));
    return frame(Kind.REPLY, body);
  }

  private static void field(ByteArrayOutputStream body, int type, byte[] octets) {
    body.writeBytes(
        ByteBuffer.allocate(FIELD_OCTETS)
            .putShort((short) type)
            .putShort((short) 0)
            .putInt(octets.length)
            .array());
    body.writeBytes(octets);
  }

  private static byte[] frame(Kind kind, ByteArrayOutputStream body) {
    if (body.size() > MAX_BODY_OCTETS) {
      throw new IllegalArgumentException(
          body.size() + " octets do not fit a frame of at most " + MAX_BODY_OCTETS);
    }
    return ByteBuffer.allocate(HEADER_OCTETS + body.size())
        .putInt(MAGIC)
        .put((byte) VERSION)
        .put((byte) OLDEST_VERSION)
        .putShort((short) kind.code)
        .putInt(body.size())
        .put(body.toByteArray())
        .array();
  }

  /// A whole request frame, as it was queued on disk.
  public static CniRequest decodeRequest(byte[] octets) throws MalformedFrameException {
    ByteBuffer frame = ByteBuffer.wrap(octets);
    Header header = header(frame, Kind.REQUEST);
    if (!header.isCompatible() || header.bodyOctets() != frame.remaining()) {
      throw new MalformedFrameException(
          "a request of version "
              + header.version()
              + " announces "
              + header.bodyOctets()
              + " octets and has "
              + frame.remaining());
    }
    return requestBody(frame);
  }

  static CniRequest requestBody(ByteBuffer body) throws MalformedFrameException {
    Map<CniVariable, String> environment = new EnumMap<>(CniVariable.class);
    String program = "margay-cni";
    byte[] stdin = new byte[0];
    while (body.hasRemaining()) {
      int type = fieldType(body);
      byte[] octets = fieldOctets(body);
      CniVariable.ofFieldType(type).ifPresent(variable -> environment.put(variable, text(octets)));
      if (type == FIELD_STDIN) {
        stdin = octets;
      } else if (type == FIELD_PROGRAM) {
        program = text(octets);
      }
    }
    return new CniRequest(environment, program, stdin);
  }

  static CniReply replyBody(ByteBuffer body) throws MalformedFrameException {
    int exitCode = -1;
    String stdout = "";
    String stderr = "";
    while (body.hasRemaining()) {
      int type = fieldType(body);
      byte[] octets = fieldOctets(body);
      if (type == REPLY_EXIT_CODE && octets.length == 4) {
        exitCode = ByteBuffer.wrap(octets).getInt();
      } else if (type == REPLY_STDOUT) {
        stdout = text(octets);
      } else if (type == REPLY_STDERR) {
        stderr = text(octets);
      }
    }
    if (exitCode < 0 || exitCode > 255) {
      throw new MalformedFrameException("a reply without a valid exit code");
    }
    return new CniReply(exitCode, stdout, stderr);
  }

  private static int fieldType(ByteBuffer body) throws MalformedFrameException {
    if (body.remaining() < FIELD_OCTETS) {
      throw new MalformedFrameException(body.remaining() + " octets are left, too few for a field");
    }
    int type = body.getShort() & 0xffff;
    body.getShort();
    return type;
  }

  private static byte[] fieldOctets(ByteBuffer body) throws MalformedFrameException {
    int length = body.getInt();
    if (length < 0 || length > body.remaining()) {
      throw new MalformedFrameException(
          "a field announces "
              + Integer.toUnsignedString(length)
              + " octets, "
              + body.remaining()
              + " are left");
    }
    byte[] octets = new byte[length];
    body.get(octets);
    return octets;
  }

  private static String text(byte[] octets) {
    return new String(octets, StandardCharsets.UTF_8);
  }
}
