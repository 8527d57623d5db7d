package io.margay.linux.nft;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.net.IpFamily;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("netns")
final class NftFeaturesTest {

  @Test
  void what_is_not_allowed_is_not_used_even_where_the_kernel_has_it() throws Exception {
    try (NftNamespace namespace = new NftNamespace();
        KernelNftables all = namespace.open();
        NftTable old =
            new NftTable(
                KernelNftables.openIn(namespace.fd(), NftFeatures.NONE),
                "margay",
                NftTable.Ownership.WHERE_PERSISTENT)) {
      assertThat(all.features()).isEqualTo(NftFeatures.ALL);
      old.putChain(IpFamily.IPV4, NftChain.regular("a", List.of()));
      old.apply();
      NftDump found = all.dump(new NftTableName(IpFamily.IPV4, "margay")).orElseThrow();
      assertThat(found.owned()).isFalse();
      assertThat(found.persistent()).isFalse();
    }
  }

  @Test
  void a_table_for_a_while_is_an_open_one_where_nothing_can_be_owned() throws Exception {
    try (NftNamespace namespace = new NftNamespace();
        KernelNftables reader = namespace.open()) {
      try (NftTable passing =
          new NftTable(
              KernelNftables.openIn(namespace.fd(), NftFeatures.NONE),
              "margay",
              NftTable.Ownership.WHILE_OPEN)) {
        passing.putChain(IpFamily.IPV4, NftChain.regular("a", List.of()));
        passing.apply();
      }
      NftDump left = reader.dump(new NftTableName(IpFamily.IPV4, "margay")).orElseThrow();
      assertThat(left.owned()).isFalse();
    }
  }

  @Test
  void a_system_property_switches_all_of_them_off() throws Exception {
    System.setProperty(NftFeatures.PROPERTY, "off");
    try (NftNamespace namespace = new NftNamespace();
        KernelNftables none = namespace.open()) {
      assertThat(none.features()).isEqualTo(NftFeatures.NONE);
    } finally {
      System.clearProperty(NftFeatures.PROPERTY);
    }
  }
}
