package io.margay.datastore.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.model.resource.Kind;
import io.margay.model.resource.ResourceRef;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ResourceKeysTest {

  @Test
  void keys_are_calicos() {
    assertThat(ResourceKeys.key(new ResourceRef(Kind.NETWORK_POLICY, "shop", "p")))
        .isEqualTo("/calico/resources/v3/projectcalico.org/networkpolicies/shop/p");
    assertThat(ResourceKeys.key(ResourceRef.global(Kind.IP_POOL, "pool")))
        .isEqualTo("/calico/resources/v3/projectcalico.org/ippools/pool");
    assertThat(ResourceKeys.prefix(Kind.NODE))
        .isEqualTo("/calico/resources/v3/projectcalico.org/nodes/");
  }

  @Test
  void slashes_and_percents_in_names_are_escaped() {
    ResourceRef ref = ResourceRef.global(Kind.NODE, "a/b%2fc");

    assertThat(ResourceKeys.key(ref)).endsWith("/nodes/a%2fb%252fc");
    assertThat(ResourceKeys.parseKey(ResourceKeys.key(ref))).contains(ref);
  }

  @ParameterizedTest
  @EnumSource(
      value = Kind.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = {"BLOCK_AFFINITY", "ENDPOINT_SLICE"})
  void every_kinds_key_comes_back(Kind kind) {
    ResourceRef ref = new ResourceRef(kind, kind.isNamespaced() ? "ns" : "", "name.x");

    assertThat(ResourceKeys.parseKey(ResourceKeys.key(ref))).contains(ref);
  }

  @Test
  void an_affinity_is_the_allocators_and_has_no_key_here() {
    assertThat(ResourceKeys.parseKey(ResourceKeys.ROOT + "blockaffinities/n-10-0-0-0-26"))
        .isEmpty();
    assertThatThrownBy(() -> ResourceKeys.key(ResourceRef.global(Kind.BLOCK_AFFINITY, "x")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("BlockAffinity has no key");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/calico/ipam/v2/config",
        "/calico/resources/v3/projectcalico.org/",
        "/calico/resources/v3/projectcalico.org/gadgets/x",
        "/calico/resources/v3/projectcalico.org/nodes",
        "/calico/resources/v3/projectcalico.org/nodes/",
        "/calico/resources/v3/projectcalico.org/nodes/ns/x",
        "/calico/resources/v3/projectcalico.org/networkpolicies/p",
        "/calico/resources/v3/projectcalico.org/networkpolicies//p"
      })
  void other_keys_are_nobodys(String key) {
    assertThat(ResourceKeys.parseKey(key)).isEmpty();
  }
}
