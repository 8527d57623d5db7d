package io.margay.agent.birth;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeIdentityTest {

  @TempDir private Path state;

  @Test
  void a_node_with_pods_keeps_its_name_and_one_without_may_change_it() throws Exception {
    NodeIdentity.confirm(state, "a", 3);
    NodeIdentity.confirm(state, "a", 3);
    assertThatThrownBy(() -> NodeIdentity.confirm(state, "b", 3))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("nodeName is b")
        .hasMessageContaining("3 pods of node a")
        .hasMessageContaining("set nodeName back to a");
    NodeIdentity.confirm(state, "b", 0);
    assertThatCode(() -> NodeIdentity.confirm(state, "b", 3)).doesNotThrowAnyException();
    assertThatThrownBy(() -> NodeIdentity.confirm(state, "a", 1)).isInstanceOf(IOException.class);
  }
}
