package io.margay.it.runtime;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A protobuf message by its field numbers, without generated classes: the few of the CRI that are
/// needed here have no place in a build.
final class Wire {

  /// One field as it is on the wire: octets of what has a length, else the number.
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Field(int number, byte[] octets, long value) {}

  private static final byte[] NOTHING = {};

  private final List<Field> fields = new ArrayList<>();

  static Wire message() {
    return new Wire();
  }

  Wire text(int number, String value) {
    return octets(number, value.getBytes(StandardCharsets.UTF_8));
  }

  Wire texts(int number, List<String> values) {
    values.forEach(value -> text(number, value));
    return this;
  }

  Wire message(int number, Wire value) {
    return octets(number, value.encoded());
  }

  Wire map(int number, Map<String, String> value) {
    value.forEach((key, one) -> message(number, message().text(1, key).text(2, one)));
    return this;
  }

  Wire number(int number, long value) {
    fields.add(new Field(number, NOTHING, value));
    return this;
  }

  private Wire octets(int number, byte[] octets) {
    fields.add(new Field(number, octets, -1));
    return this;
  }

  byte[] encoded() {
    ByteArrayOutputStream octets = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(octets);
    try {
      for (Field field : fields) {
        if (field.value() < 0) {
          out.writeByteArray(field.number(), field.octets());
        } else {
          out.writeUInt64(field.number(), field.value());
        }
      }
      out.flush();
    } catch (IOException inMemory) {
      throw new UncheckedIOException(inMemory);
    }
    return octets.toByteArray();
  }

  static Wire decoded(byte[] octets) {
    Wire message = new Wire();
    CodedInputStream in = CodedInputStream.newInstance(octets);
    try {
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        int number = WireFormat.getTagFieldNumber(tag);
        switch (WireFormat.getTagWireType(tag)) {
          case WireFormat.WIRETYPE_VARINT -> message.number(number, in.readUInt64());
          case WireFormat.WIRETYPE_LENGTH_DELIMITED -> message.octets(number, in.readByteArray());
          default -> in.skipField(tag);
        }
      }
    } catch (IOException malformed) {
      throw new UncheckedIOException(malformed);
    }
    return message;
  }

  /// A text field; empty when absent, as protobuf has it.
  String text(int number) {
    List<byte[]> all = all(number);
    return all.isEmpty() ? "" : new String(all.getLast(), StandardCharsets.UTF_8);
  }

  /// A number; 0 when absent.
  long number(int number) {
    long value = 0;
    for (Field field : fields) {
      if (field.number() == number) {
        value = field.value();
      }
    }
    return value;
  }

  Wire message(int number) {
    List<byte[]> all = all(number);
    return all.isEmpty() ? new Wire() : decoded(all.getLast());
  }

  List<Wire> messages(int number) {
    return all(number).stream().map(Wire::decoded).toList();
  }

  Map<String, String> map(int number) {
    Map<String, String> map = new LinkedHashMap<>();
    messages(number).forEach(entry -> map.put(entry.text(1), entry.text(2)));
    return map;
  }

  private List<byte[]> all(int number) {
    return fields.stream().filter(field -> field.number() == number).map(Field::octets).toList();
  }
}
