package io.margay.bgp.message;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class NotificationTest {

  @Test
  void a_shutdown_carries_its_text() {
    Notification told = Notification.shutdown(Notification.CEASE_SHUTDOWN, "kernel upgrade, Käse");
    assertThat(told.shutdownText()).isEqualTo("kernel upgrade, Käse");
    assertThat(told.describe()).isEqualTo("Administrative shutdown (6/2): kernel upgrade, Käse");
    assertThat(Notification.shutdown(Notification.CEASE_RESET, ""))
        .isEqualTo(Notification.of(Notification.CEASE, Notification.CEASE_RESET));
    assertThatThrownBy(() -> Notification.shutdown(Notification.CEASE_COLLISION, "x"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void a_long_text_is_cut_between_characters() {
    Notification told = Notification.shutdown(Notification.CEASE_SHUTDOWN, "ä".repeat(200));
    assertThat(told.data().length()).isEqualTo(1 + 254);
    assertThat(told.shutdownText()).isEqualTo("ä".repeat(127));
    Notification exact = Notification.shutdown(Notification.CEASE_SHUTDOWN, "x".repeat(255));
    assertThat(exact.shutdownText()).isEqualTo("x".repeat(255));
  }

  @Test
  void a_text_cannot_forge_log_lines() {
    byte[] text = "up\nADJCHANGE \u202egnp\u0007 \u001b[31m".getBytes(StandardCharsets.UTF_8);
    byte[] data = new byte[1 + text.length];
    data[0] = (byte) text.length;
    System.arraycopy(text, 0, data, 1, text.length);
    assertThat(new Notification(6, 4, Octets.of(data)).shutdownText())
        .isEqualTo("up ADJCHANGE  gnp   [31m");
    assertThat(new Notification(6, 2, Octets.ofHex("02ff41")).shutdownText()).isEqualTo("\ufffdA");
  }

  @Test
  void a_text_whose_length_lies_is_not_shown() {
    assertThat(new Notification(6, 2, Octets.ofHex("0941")).shutdownText()).isEmpty();
    assertThat(new Notification(6, 2, Octets.ofHex("00")).describe())
        .isEqualTo("Administrative shutdown (6/2)");
    assertThat(new Notification(6, 2, Octets.EMPTY).describe())
        .isEqualTo("Administrative shutdown (6/2)");
  }

  @Test
  void a_hard_reset_holds_its_reason() {
    Notification reason = Notification.shutdown(Notification.CEASE_SHUTDOWN, "bye");
    Notification hard = Notification.hardReset(reason);
    assertThat(hard.isHardReset()).isTrue();
    assertThat(hard.hardResetReason()).contains(reason);
    assertThat(hard.describe()).isEqualTo("Hard reset (6/9): Administrative shutdown (6/2): bye");
  }

  @Test
  void a_bare_hard_reset_is_one_too() {
    Notification bare = Notification.of(Notification.CEASE, Notification.CEASE_HARD_RESET);
    assertThat(bare.isHardReset()).isTrue();
    assertThat(bare.hardResetReason()).isEmpty();
    assertThat(bare.describe()).isEqualTo("Hard reset (6/9)");
    assertThat(reason().isHardReset()).isFalse();
  }

  private static Notification reason() {
    return Notification.of(Notification.HOLD_TIMER_EXPIRED, 0);
  }

  @Test
  void hard_resets_in_hard_resets_end_somewhere() {
    Notification nested = reason();
    for (int i = 0; i < 2000; i++) {
      nested = Notification.hardReset(nested);
    }
    assertThat(nested.data().length()).isLessThanOrEqualTo(Notification.MAX_DATA_OCTETS);
    assertThat(nested.describe()).startsWith("Hard reset (6/9): Hard reset (6/9): data ");
    assertThat(nested.describe()).hasSizeLessThan(200);
  }

  @Test
  void the_words_say_what_the_data_says() {
    assertThat(Notification.maxPrefix(AfiSafi.IPV6_UNICAST, 4_000_000_000L).describe())
        .isEqualTo("Maximum number of prefixes reached (6/1): ipv6-unicast, limit 4000000000");
    assertThat(new Notification(1, 2, Octets.ofHex("1001")).describe())
        .isEqualTo("Bad message length (1/2): length 4097");
    assertThat(new Notification(8, 0, Octets.EMPTY).describe())
        .isEqualTo("Send hold timer expired (8/0)");
    assertThat(new Notification(6, 10, Octets.EMPTY).describe()).isEqualTo("BFD down (6/10)");
    assertThat(new Notification(7, 1, Octets.ofHex("ff")).describe())
        .isEqualTo("Bad ROUTE-REFRESH length (7/1): data ff");
    assertThat(new Notification(200, 1, Octets.EMPTY).describe()).isEqualTo("Error (200/1)");
  }
}
