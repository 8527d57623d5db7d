package io.margay.cni.spec;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/// The bounded reader and the writer for everything that crosses the CNI boundary as JSON.
public final class CniJson {

  /// The largest configuration accepted, in octets; the client stops reading at the same size.
  public static final int MAX_OCTETS = 1 << 20;

  static final int MAX_DEPTH = 64;

  private static final ObjectMapper MAPPER =
      new ObjectMapper(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(MAX_DEPTH)
                          .maxDocumentLength(MAX_OCTETS)
                          .maxStringLength(MAX_OCTETS)
                          .maxNumberLength(100)
                          .build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private CniJson() {}

  /// @throws CniException code 6 unless `octets` are one JSON object of at most {@link #MAX_OCTETS}
  public static ObjectNode parse(byte[] octets) throws CniException {
    if (octets.length > MAX_OCTETS) {
      throw new CniException(
          CniError.BAD_JSON, "the network configuration is larger than " + MAX_OCTETS + " octets");
    }
    try {
      // Jackson would guess at other encodings.
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(octets)).toString();
      JsonNode node = MAPPER.readTree(text);
      if (node instanceof ObjectNode object) {
        return object;
      }
    } catch (IOException malformed) {
      throw new CniException(
          CniError.BAD_JSON, "the network configuration on standard input is not JSON", malformed);
    }
    throw new CniException(
        CniError.BAD_JSON, "the network configuration on standard input is not a JSON object");
  }

  /// One line of JSON, as printed on standard output.
  public static String print(JsonNode node) {
    return node + "\n";
  }

  /// The error object, naming the version the caller speaks.
  public static ObjectNode errorObject(CniError error, CniVersion version) {
    ObjectNode node =
        newObject()
            .put("cniVersion", version.text())
            .put("code", error.code())
            .put("msg", error.msg());
    return error.details().isEmpty() ? node : node.put("details", error.details());
  }

  static ObjectNode newObject() {
    return JsonNodeFactory.instance.objectNode();
  }
}
