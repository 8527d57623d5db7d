package io.margay.datastore.etcd;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.HexFormat;

/// Just enough DER to put older private key formats into PKCS#8 (RFC 5208 §5), which is all the JDK
/// reads.
final class Der {

  private static final int INTEGER = 0x02;
  private static final int OCTET_STRING = 0x04;
  private static final int SEQUENCE = 0x30;
  private static final int CONTEXT_0 = 0xa0;
  private static final byte[] VERSION_0 = {INTEGER, 1, 0};

  /// AlgorithmIdentifier rsaEncryption, NULL.
  private static final byte[] RSA = HexFormat.of().parseHex("300d06092a864886f70d0101010500");

  /// The OBJECT IDENTIFIER id-ecPublicKey (RFC 5480 §2.1.1).
  private static final byte[] EC_PUBLIC_KEY = HexFormat.of().parseHex("06072a8648ce3d0201");

  private Der() {}

  /// Where an element's content is.
  private record Element(int tag, int start, int end) {
    byte[] contentOf(byte[] der) {
      return Arrays.copyOfRange(der, start, end);
    }
  }

  static byte[] pkcs8OfRsa(byte[] pkcs1) {
    return element(SEQUENCE, VERSION_0, RSA, element(OCTET_STRING, pkcs1));
  }

  /// @throws IllegalArgumentException when the key does not name its curve
  static byte[] pkcs8OfEc(byte[] sec1) {
    // RFC 5915 §3: ECPrivateKey ::= SEQUENCE { version, privateKey, parameters [0] OPTIONAL, … }
    byte[] fields = read(sec1, 0).contentOf(sec1);
    for (int at = 0; at < fields.length; ) {
      Element field = read(fields, at);
      if (field.tag == CONTEXT_0) {
        return element(
            SEQUENCE,
            VERSION_0,
            element(SEQUENCE, EC_PUBLIC_KEY, field.contentOf(fields)),
            element(OCTET_STRING, sec1));
      }
      at = field.end;
    }
    throw new IllegalArgumentException("the EC key does not name its curve");
  }

  private static Element read(byte[] der, int at) {
    if (at + 2 > der.length) {
      throw new IllegalArgumentException("cut off");
    }
    int length = der[at + 1] & 0xff;
    int start = at + 2;
    if (length >= 0x80) {
      int octets = length & 0x7f;
      if (octets > 3 || start + octets > der.length) {
        throw new IllegalArgumentException("impossible length");
      }
      length = 0;
      for (int i = 0; i < octets; i++) {
        length = length << 8 | der[start + i] & 0xff;
      }
      start += octets;
    }
    if (length > der.length - start) {
      throw new IllegalArgumentException("cut off");
    }
    return new Element(der[at] & 0xff, start, start + length);
  }

  private static byte[] element(int tag, byte[]... parts) {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      content.writeBytes(part);
    }
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    whole.write(tag);
    int length = content.size();
    if (length < 0x80) {
      whole.write(length);
    } else {
      int octets = (Integer.SIZE - Integer.numberOfLeadingZeros(length) + 7) / 8;
      whole.write(0x80 | octets);
      for (int i = octets - 1; i >= 0; i--) {
        whole.write(length >>> 8 * i);
      }
    }
    whole.writeBytes(content.toByteArray());
    return whole.toByteArray();
  }
}
