package io.margay.linux.nft;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.net.IpFamily;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class ExprDecoderTest {

  private static final List<NftExpr> ALL =
      List.of(
          new NftExpr.Payload(NftExpr.Base.NETWORK, 12, 4, 9),
          new NftExpr.Meta(NftExpr.MetaKey.OIFNAME, 8),
          new NftExpr.CtState(8),
          new NftExpr.CtStatus(8),
          new NftExpr.CtOriginal(NftExpr.CtEnd.SOURCE_ADDRESS, IpFamily.IPV4, 8),
          new NftExpr.Mask(8, NftData.hostOrder(6)),
          new NftExpr.Compare(8, NftExpr.Comparison.NOT_EQUAL, NftData.port(80)),
          new NftExpr.Range(8, true, NftData.port(1), NftData.port(9)),
          new NftExpr.Lookup("members", 8, true),
          new NftExpr.VerdictMap("from_wl", 8),
          new NftExpr.DataMap("grants", 8, 9),
          new NftExpr.DestinationType(8),
          new NftExpr.SourceType(8),
          new NftExpr.Load(8, NftData.hostOrder(7)),
          new NftExpr.Judge(NftVerdict.jump("t-1")),
          new NftExpr.Counter(),
          new NftExpr.Limit(10, 3600, 5),
          new NftExpr.Log("calico-packet: "),
          new NftExpr.LogGroup("LPI0|default|np/a/b", 1, 128),
          new NftExpr.Trace(8),
          new NftExpr.Masquerade(0, 0),
          new NftExpr.Masquerade(8, 9),
          new NftExpr.SourceNat(IpFamily.IPV4, 10, 0, 0),
          new NftExpr.SourceNat(IpFamily.IPV4, 10, 8, 9),
          new NftExpr.Notrack(),
          new NftExpr.DestinationNat(IpFamily.IPV4, 8, 9));

  private static AttributeReader reader(byte[] octets) {
    return new AttributeReader(ByteBuffer.wrap(octets), 0, octets.length);
  }

  @Test
  void every_instruction_is_read_back_as_it_was_written() {
    Set<Class<?>> covered = ALL.stream().map(Object::getClass).collect(Collectors.toSet());
    assertThat(covered)
        .containsExactlyInAnyOrderElementsOf(
            Arrays.stream(NftExpr.class.getPermittedSubclasses()).toList());
    assertThat(ExprDecoder.decode(reader(ExprCodec.encode(ALL)), IpFamily.IPV4)).isEqualTo(ALL);
  }

  @Test
  void what_we_never_write_is_not_guessed() {
    AttributeWriter out = new AttributeWriter();
    int element = out.beginNest(1);
    out.text(1, "quota");
    int data = out.beginNest(2);
    out.be64(1, 1);
    out.endNest(data);
    out.endNest(element);
    assertThat(ExprDecoder.decode(reader(out.toBytes()), IpFamily.IPV4)).isNull();
  }

  @Test
  void a_listing_gives_rules_without_comments_by_handle() {
    String listing =
        """
        table ip margay {
        	chain spoof { # handle 84
        		type filter hook prerouting priority raw - 1; policy accept;
        		iifname "cali*" counter packets 0 bytes 0 drop comment "spoof|source|cali" # handle 182
        	}
        }
        """;
    assertThat(LibNftables.parse(listing))
        .containsExactly(Map.entry(182L, "iifname \"cali*\" counter packets 0 bytes 0 drop"));
  }
}
