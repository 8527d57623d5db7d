package io.margay.bgp.rib;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.Community;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.message.Update;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class UpdatePackerTest {

  private static final int ATTRIBUTE_OCTETS = 50;
  private static final UpdatePacker PACKER = new UpdatePacker(4096, _ -> ATTRIBUTE_OCTETS);

  private static Advertisement advertisement(String community, String nextHop) {
    return new Advertisement(
        PathAttributes.of(
            new PathAttribute.Origin(PathAttribute.OriginCode.IGP),
            new PathAttribute.AsPathAttribute(AsPath.of(new Asn(65001))),
            new PathAttribute.Communities(List.of(Community.parse(community)))),
        IpAddress.parse(nextHop));
  }

  private static Prefix prefix(int index) {
    return Prefix.parse("10." + (index >> 8) + "." + (index & 255) + ".0/26");
  }

  @Test
  void prefixes_of_one_attribute_set_share_messages_filled_to_the_limit() {
    List<AdjRibOut.Change> changes = new ArrayList<>();
    for (int i = 0; i < 2000; i++) {
      changes.add(new AdjRibOut.Change(prefix(i), advertisement("1:1", "10.0.0.1")));
    }
    List<Update> updates = PACKER.pack(changes).updates();
    int perMessage = (4096 - 23 - 7 - ATTRIBUTE_OCTETS) / 5;
    assertThat(updates.stream().map(update -> update.announced().size()).toList())
        .containsExactly(perMessage, perMessage, 2000 - 2 * perMessage);
    assertThat(updates.stream().mapToInt(update -> update.announced().size()).sum())
        .isEqualTo(2000);
  }

  @Test
  void attribute_sets_families_and_withdrawals_are_kept_apart_and_withdrawals_go_first() {
    List<Update> updates =
        PACKER
            .pack(
                List.of(
                    new AdjRibOut.Change(prefix(1), advertisement("1:1", "10.0.0.1")),
                    new AdjRibOut.Change(prefix(2), advertisement("1:2", "10.0.0.1")),
                    new AdjRibOut.Change(prefix(3), advertisement("1:1", "10.0.0.1")),
                    new AdjRibOut.Change(
                        Prefix.parse("fd00::/122"), advertisement("1:1", "fd00::1")),
                    new AdjRibOut.Change(prefix(4), null),
                    new AdjRibOut.Change(Prefix.parse("fd01::/122"), null)))
            .updates();
    assertThat(updates).hasSize(5);
    assertThat(updates.get(0).withdrawn()).containsExactly(prefix(4));
    assertThat(updates.get(1).unreachable()).isNotNull();
    assertThat(updates.get(2).announced()).containsExactly(prefix(1), prefix(3));
    assertThat(updates.get(3).announced()).containsExactly(prefix(2));
    assertThat(updates.get(4).reachable()).isNotNull();
    assertThat(updates.get(4).attributes().find(PathAttribute.NextHop.class)).isEmpty();
  }

  @Test
  void attributes_that_fit_no_message_withdraw_their_prefixes() {
    UpdatePacker.Packed packed =
        new UpdatePacker(4096, _ -> 4070)
            .pack(List.of(new AdjRibOut.Change(prefix(1), advertisement("1:1", "10.0.0.1"))));
    assertThat(packed.tooLarge()).containsExactly(prefix(1));
    assertThat(packed.updates()).hasSize(1);
    assertThat(packed.updates().getFirst().withdrawn()).containsExactly(prefix(1));
  }
}
