package io.margay.it.cni;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.it.cni.Invariants.Live;
import io.margay.it.cni.Node.Answer;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// A pod that was added to a node.
record Pod(Node node, String container, String netns, Answer answer) {

  private static final int CONTAINER_OCTETS = 32;
  private static final Random RANDOM = new Random(6);

  /// A container id as runtimes draw them.
  static synchronized String id() {
    byte[] octets = new byte[CONTAINER_OCTETS];
    RANDOM.nextBytes(octets);
    return HexFormat.of().formatHex(octets);
  }

  static Pod add(Node node) throws Exception {
    String container = id();
    String netns = node.newNetns();
    Answer answer = node.call("ADD", container, netns);
    assertThat(answer.exitCode()).as(answer.stdout()).isZero();
    return new Pod(node, container, netns, answer);
  }

  String hostEnd() throws Exception {
    return answer.json().path("interfaces").get(0).path("name").asText();
  }

  Answer check() throws Exception {
    return node.call(
        node.environment("CHECK", container, Node.path(netns).toString()),
        node.configuration(answer.stdout()),
        -1,
        List.of());
  }

  Answer addAgain() throws Exception {
    return node.call("ADD", container, netns);
  }

  Answer del() throws Exception {
    return node.call("DEL", container, netns);
  }

  /// DEL, which has to succeed, and then the namespace.
  void end() throws Exception {
    assertThat(del()).isEqualTo(new Answer(0, ""));
    node.delete(netns);
  }

  Map<String, Live> alone() throws Exception {
    return Map.of(container, live());
  }

  Live live() throws Exception {
    return new Live(hostEnd(), answer.addresses());
  }
}
