package io.margay.policy;

import static io.margay.policy.testing.Things.ip;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.model.net.Prefix;
import io.margay.policy.testing.Gen;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class SetMembersTest {

  private static final String[] PREFIXES = {
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.0.0.0/24",
    "10.0.0.0/25",
    "10.0.0.128/25",
    "10.0.0.1/32",
    "10.0.0.200/32",
    "10.0.1.0/24",
    "::/0",
    "fd00::/64",
    "fd00::/65",
    "fd00::1/128",
    "fe00::1/128"
  };

  private final TreeSet<String> visible = new TreeSet<>();
  private final SetMembers members =
      new SetMembers(
          new SetMembers.Listener() {
            @Override
            public void onMemberAdded(SetMember member) {
              assertThat(visible.add(member.toString())).as("%s appears", member).isTrue();
            }

            @Override
            public void onMemberRemoved(SetMember member) {
              assertThat(visible.remove(member.toString())).as("%s goes", member).isTrue();
            }
          });

  private static SetMember net(String prefix) {
    return new SetMember.Net(Prefix.parse(prefix));
  }

  @Test
  void only_maximal_prefixes_are_visible_whatever_comes_and_goes() {
    Gen.forSeeds(
        200,
        gen -> {
          SetMembersTest fresh = new SetMembersTest();
          List<String> held = new ArrayList<>();
          for (int step = 0; step < 80; step++) {
            if (!held.isEmpty() && gen.chance(45)) {
              fresh.members.remove(net(held.remove(gen.between(0, held.size() - 1))));
            } else {
              String prefix = gen.oneOf(PREFIXES);
              held.add(prefix);
              fresh.members.add(net(prefix));
            }
            assertThat(fresh.visible).isEqualTo(maximal(held));
          }
          held.forEach(prefix -> fresh.members.remove(net(prefix)));
          assertThat(fresh.visible).isEmpty();
        });
  }

  private static Set<String> maximal(List<String> held) {
    Set<String> maximal = new TreeSet<>();
    for (String one : held) {
      Prefix prefix = Prefix.parse(one);
      if (held.stream()
          .map(Prefix::parse)
          .noneMatch(other -> !other.equals(prefix) && other.contains(prefix))) {
        maximal.add(net(one).toString());
      }
    }
    return maximal;
  }

  @Test
  void a_named_port_stays_as_long_as_one_endpoint_has_it() {
    SetMember port = new SetMember.NamedPort(ip("10.0.0.1"), 6, 80);
    members.add(port);
    members.add(port);
    members.remove(port);
    assertThat(visible).containsExactly(port.toString());
    members.remove(port);
    assertThat(visible).isEmpty();
  }

  @Test
  void removing_what_is_not_there_is_a_bug() {
    assertThatThrownBy(() -> members.remove(net("10.0.0.1/32")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("10.0.0.1/32");
  }
}
