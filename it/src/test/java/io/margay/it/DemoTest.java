package io.margay.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// The whole stack on real parts: what the demo promises, it holds.
@Tag("lab")
class DemoTest {

  @Test
  void every_expectation_of_the_demo_holds_and_nothing_stays_behind() throws Exception {
    String name = "mgytdemo" + ProcessHandle.current().pid();
    Rack.Run demo = Rack.margay("demo", "--name", name);
    assertThat(demo.exitCode()).as("%s%n%s", demo.out(), demo.err()).isZero();
    assertThat(demo.out().lines()).allMatch(line -> line.length() <= 100);
    assertThat(Rack.run(Map.of(), "", List.of("ip", "netns", "list")).out())
        .doesNotContain("mgy-" + name);
  }
}
