package io.margay.datastore.etcd;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Reads the PEM files of a TLS connection: certificates, and a private key as PKCS#8, PKCS#1 (`RSA
/// PRIVATE KEY`) or SEC 1 (`EC PRIVATE KEY`). Every failure names the file and the remedy.
final class PemFiles {

  /// The largest file read, in octets: a bundle of some hundred authorities.
  static final long MAX_OCTETS = 1 << 20;

  private static final Pattern BLOCK =
      Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \\1-----");
  private static final List<String> KEY_ALGORITHMS = List.of("RSA", "EC", "EdDSA");

  private PemFiles() {}

  /// Who may sign the servers' certificates.
  record Trust(List<X509Certificate> certificates) {
    Trust {
      certificates = List.copyOf(certificates);
    }
  }

  /// Who we are.
  record Identity(PrivateKey key, List<X509Certificate> chain) {
    Identity {
      chain = List.copyOf(chain);
    }
  }

  private record Block(String label, String body) {}

  static Trust trust(Path file) throws IOException {
    return new Trust(certificates(file));
  }

  /// @throws IOException also when the key is not the certificate's
  static Identity identity(Path certificateFile, Path keyFile) throws IOException {
    List<X509Certificate> chain = certificates(certificateFile);
    PrivateKey key = key(keyFile);
    if (!belongTogether(chain.getFirst(), key)) {
      throw new IOException(
          "the key in " + keyFile + " is not that of the certificate in " + certificateFile);
    }
    return new Identity(key, chain);
  }

  /// When the first certificate in `file` ends; empty when it can't be read.
  static Optional<Instant> expiry(Path file) {
    try {
      return Optional.of(certificates(file).getFirst().getNotAfter().toInstant());
    } catch (IOException unreadable) {
      return Optional.empty();
    }
  }

  private static List<X509Certificate> certificates(Path file) throws IOException {
    List<X509Certificate> found = new ArrayList<>();
    for (Block block : blocks(file)) {
      if (block.label.equals("CERTIFICATE")) {
        try (InputStream der = new ByteArrayInputStream(octets(file, block))) {
          found.add(
              (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(der));
        } catch (CertificateException malformed) {
          throw new IOException(file + " holds a certificate that can't be read", malformed);
        }
      }
    }
    if (found.isEmpty()) {
      throw new IOException(file + " holds no PEM certificate");
    }
    return found;
  }

  private static PrivateKey key(Path file) throws IOException {
    for (Block block : blocks(file)) {
      if (!block.label.endsWith("PRIVATE KEY")) {
        continue;
      }
      if (block.label.startsWith("ENCRYPTED") || block.body.contains("ENCRYPTED")) {
        throw new IOException(
            "the key in "
                + file
                + " is encrypted; decrypt it with: openssl pkcs8 -topk8 -nocrypt -in "
                + file);
      }
      byte[] der = octets(file, block);
      try {
        return switch (block.label) {
          case "PRIVATE KEY" -> fromPkcs8(file, der);
          case "RSA PRIVATE KEY" -> fromPkcs8(file, Der.pkcs8OfRsa(der));
          case "EC PRIVATE KEY" -> fromPkcs8(file, Der.pkcs8OfEc(der));
          default -> throw unknownKey(file, block.label);
        };
      } catch (IllegalArgumentException malformed) {
        throw new IOException("the key in " + file + " can't be read", malformed);
      }
    }
    throw new IOException(file + " holds no PEM private key");
  }

  private static IOException unknownKey(Path file, String label) {
    return new IOException(
        "the key in "
            + file
            + " is a "
            + label
            + "; convert it with: openssl pkcs8 -topk8 -nocrypt -in "
            + file);
  }

  private static PrivateKey fromPkcs8(Path file, byte[] der) throws IOException {
    for (String algorithm : KEY_ALGORITHMS) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(der));
      } catch (GeneralSecurityException another) {
        // The next algorithm is tried.
      }
    }
    throw new IOException("the key in " + file + " is neither RSA, EC nor EdDSA, or damaged");
  }

  private static boolean belongTogether(X509Certificate certificate, PrivateKey key) {
    String algorithm =
        switch (key.getAlgorithm()) {
          case "RSA" -> "SHA256withRSA";
          case "EC" -> "SHA256withECDSA";
          default -> "EdDSA";
        };
    byte[] probe = "margay".getBytes(US_ASCII);
    try {
      Signature signing = Signature.getInstance(algorithm);
      signing.initSign(key);
      signing.update(probe);
      Signature checking = Signature.getInstance(algorithm);
      checking.initVerify(certificate.getPublicKey());
      checking.update(probe);
      return checking.verify(signing.sign());
    } catch (GeneralSecurityException anotherKind) {
      return false;
    }
  }

  private static List<Block> blocks(Path file) throws IOException {
    if (!Files.isReadable(file)) {
      throw new IOException(file + " is not there or not readable for this user");
    }
    if (Files.size(file) > MAX_OCTETS) {
      throw new IOException(file + " is larger than " + MAX_OCTETS + " octets");
    }
    Matcher matcher = BLOCK.matcher(Files.readString(file, US_ASCII));
    List<Block> found = new ArrayList<>();
    while (matcher.find()) {
      found.add(new Block(matcher.group(1), matcher.group(2)));
    }
    return found;
  }

  private static byte[] octets(Path file, Block block) throws IOException {
    try {
      return Base64.getMimeDecoder().decode(block.body);
    } catch (IllegalArgumentException malformed) {
      throw new IOException(file + " holds a " + block.label + " that is not base64", malformed);
    }
  }
}
