package io.margay.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.firewall.Failsafe;
import io.margay.model.net.Prefix;
import java.util.List;
import org.junit.jupiter.api.Test;

class DatastorePortsTest {

  @Test
  void a_datastore_is_open_at_its_address_and_one_known_by_name_at_any() {
    assertThat(
            DatastorePorts.of(
                List.of(
                    "http://10.0.0.7:4001", "https://[fd00::7]:2379", "https://etcd.example:2399")))
        .containsExactly(
            new Failsafe(6, 4001, Prefix.parse("10.0.0.7/32")),
            new Failsafe(6, 2379, Prefix.parse("fd00::7/128")),
            new Failsafe(6, 2399, null));
  }
}
