package io.margay.cni.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class CniFrameTest {

  private static final CniRequest REQUEST =
      new CniRequest(
          Map.of(
              CniVariable.COMMAND, "ADD", CniVariable.CONTAINERID, "c1", CniVariable.ARGS, "A=é"),
          "margay-cni",
          "{}".getBytes(StandardCharsets.UTF_8));

  @Test
  void a_request_survives_the_round_trip() throws Exception {
    CniRequest back = CniFrame.decodeRequest(CniFrame.encode(REQUEST));
    assertThat(back.environment()).isEqualTo(REQUEST.environment());
    assertThat(back.program()).isEqualTo("margay-cni");
    assertThat(back.stdin()).isEqualTo(REQUEST.stdin());
  }

  @Test
  void a_reply_survives_the_round_trip() throws Exception {
    CniReply reply = new CniReply(7, "out é", "err");
    ByteBuffer frame = ByteBuffer.wrap(CniFrame.encode(reply));
    CniFrame.Header header = CniFrame.header(frame, CniFrame.Kind.REPLY);
    assertThat(header.bodyOctets()).isEqualTo(frame.remaining());
    assertThat(CniFrame.replyBody(frame)).isEqualTo(reply);
  }

  @Test
  void the_layout_on_the_wire_is_fixed() {
    byte[] frame =
        CniFrame.encode(
            new CniRequest(Map.of(CniVariable.COMMAND, "DEL"), "p", new byte[] {'{', '}'}));
    assertThat(HexFormat.of().formatHex(frame))
        .isEqualTo(
            "4d475943" // MGYC
                + "01010001" // version 1, oldest 1, request
                + "0000001e"
                + ("00010000" + "00000003" + "44454c")
                + ("00110000" + "00000001" + "70")
                + ("00100000" + "00000002" + "7b7d"));
  }

  @Test
  void fields_of_a_later_version_are_skipped() throws Exception {
    byte[] known = CniFrame.encode(REQUEST);
    byte[] extended = Arrays.copyOf(known, known.length + 11);
    ByteBuffer.wrap(extended).putInt(8, known.length - CniFrame.HEADER_OCTETS + 11);
    ByteBuffer.wrap(extended)
        .position(known.length)
        .putShort((short) 99)
        .putShort((short) 0)
        .putInt(3);
    assertThat(CniFrame.decodeRequest(extended).environment()).isEqualTo(REQUEST.environment());
  }

  @Test
  void versions_without_overlap_are_incompatible() {
    assertThat(new CniFrame.Header(2, 1, 0).isCompatible()).isTrue();
    assertThat(new CniFrame.Header(1, 1, 0).isCompatible()).isTrue();
    assertThat(new CniFrame.Header(3, 2, 0).isCompatible()).isFalse();
    assertThat(new CniFrame.Header(0, 0, 0).isCompatible()).isFalse();
  }

  @Test
  void every_truncation_is_refused() {
    byte[] frame = CniFrame.encode(REQUEST);
    for (int length = 0; length < frame.length; length++) {
      byte[] truncated = Arrays.copyOf(frame, length);
      assertThatThrownBy(() -> CniFrame.decodeRequest(truncated))
          .as("%d of %d octets", length, frame.length)
          .isInstanceOf(MalformedFrameException.class);
    }
  }

  @Test
  void lying_lengths_are_refused_without_allocating_for_them() {
    byte[] frame = CniFrame.encode(REQUEST);
    for (int lie :
        new int[] {-1, Integer.MIN_VALUE, Integer.MAX_VALUE, CniFrame.MAX_BODY_OCTETS + 1}) {
      byte[] header = frame.clone();
      ByteBuffer.wrap(header).putInt(8, lie);
      assertThatThrownBy(() -> CniFrame.decodeRequest(header))
          .isInstanceOf(MalformedFrameException.class);
      byte[] field = frame.clone();
      ByteBuffer.wrap(field).putInt(CniFrame.HEADER_OCTETS + 4, lie);
      assertThatThrownBy(() -> CniFrame.decodeRequest(field))
          .isInstanceOf(MalformedFrameException.class);
    }
  }

  @Test
  void random_octets_give_a_request_or_the_one_exception() {
    Random random = new Random(7);
    byte[] frame = CniFrame.encode(REQUEST);
    for (int i = 0; i < 50_000; i++) {
      byte[] mutated = frame.clone();
      for (int n = random.nextInt(4); n >= 0; n--) {
        mutated[random.nextInt(mutated.length)] = (byte) random.nextInt();
      }
      try {
        assertThat(CniFrame.decodeRequest(mutated)).isNotNull();
      } catch (MalformedFrameException refused) {
        assertThat(refused).hasMessageNotContaining("null");
      }
    }
  }
}
