package io.margay.datastore.etcd;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// A listing of keys that are ordered as etcd orders them, with what it would cost etcd.
class ListingWindowTest {

  private static final String PREFIX = "/calico/resources/v3/projectcalico.org/";

  private byte[][] store = {};
  private int requests;
  private long counted;

  private List<String> read(String prefix, int pageKeys) {
    List<String> all = new ArrayList<>();
    ListingWindow window = new ListingWindow(prefix.getBytes(UTF_8));
    while (true) {
      int first = place(window.from());
      int count = place(window.to()) - first;
      int keys = Math.min(count, pageKeys);
      requests++;
      counted += count;
      for (int i = 0; i < keys; i++) {
        all.add(new String(store[first + i], UTF_8));
      }
      if (!window.advance(keys, i -> store[first + i], count, pageKeys)) {
        return all;
      }
    }
  }

  /// Where the key is, or would be.
  private int place(byte[] key) {
    int found = Arrays.binarySearch(store, key, Arrays::compareUnsigned);
    return found < 0 ? -found - 1 : found;
  }

  private void store(Stream<String> keys) {
    store =
        Stream.concat(Arrays.stream(store), keys.distinct().map(key -> key.getBytes(UTF_8)))
            .sorted(Arrays::compareUnsigned)
            .toArray(byte[][]::new);
  }

  private List<String> stored() {
    return Arrays.stream(store)
        .map(key -> new String(key, UTF_8))
        .filter(key -> key.startsWith(PREFIX))
        .toList();
  }

  private static Arguments shape(String name, int counting, IntFunction<String> key) {
    return Arguments.of(name, counting, key);
  }

  /// With how often each key may be counted; over one range it is 98 times.
  static Stream<Arguments> shapes() {
    Random random = new Random(1);
    return Stream.of(
        shape(
            "endpoints",
            20,
            i ->
                "workloadendpoints/ns"
                    + i % 200
                    + "/node%04d-k8s-pod--%06d-eth0".formatted(i / 100, i)),
        shape("policies", 20, i -> "networkpolicies/ns1/default.policy-%05d".formatted(i)),
        shape("handles", 20, i -> "handle/k8s-pod-network.%064x".formatted((long) i * i)),
        shape(
            "blocks",
            20,
            i -> "block/10.%d.%d.%d-26".formatted(i >> 10, i >> 2 & 255, (i & 3) * 64)),
        shape("uuids", 20, _ -> new UUID(random.nextLong(), random.nextLong()).toString()),
        shape("one counter", 20, Integer::toString),
        shape(
            "beyond ASCII", 20, i -> "ü\uD83D\uDE00" + Character.toString(0x4e00 + i % 20_000) + i),
        shape("a long stem", 20, i -> "x".repeat(200) + "%08d".formatted(i)),
        shape("each a beginning of the next", 99, i -> "y".repeat(i % 500) + i / 500));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("shapes")
  void all_keys_come_once_in_order_for_few_requests_and_little_counting(
      String name, int counting, IntFunction<String> key) {
    int keys = 100_000;
    int pageKeys = 512;
    store(IntStream.range(0, keys).mapToObj(i -> PREFIX + key.apply(i)));
    store(Stream.of("/calico/a", "/calico/resources/v3/projectcalico.org0", "/calico/z"));
    assertThat(read(PREFIX, pageKeys)).as(name).isEqualTo(stored());
    assertThat(requests).isLessThan(13 * store.length / (10 * pageKeys));
    assertThat(counted).isLessThan((long) counting * store.length);
  }

  @Test
  void a_few_pages_are_read_over_the_one_range() {
    store(IntStream.range(0, 4_000).mapToObj(i -> PREFIX + "nodes/" + i));
    assertThat(read(PREFIX, 500)).hasSize(4_000);
    assertThat(requests).isEqualTo(8);
  }

  @Test
  void nothing_is_one_request() {
    store(Stream.of("/calico/a", "/calico/z"));
    assertThat(read(PREFIX, 10)).isEmpty();
    assertThat(requests).isEqualTo(1);
  }

  @Test
  void random_keys_in_pages_of_any_size_are_all_read() {
    for (int seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      List<String> keys = new ArrayList<>();
      String alphabet = "ab/é中".substring(0, 2 + random.nextInt(4));
      for (int i = random.nextInt(400); i > 0; i--) {
        StringBuilder key = new StringBuilder(PREFIX);
        for (int length = random.nextInt(8); length > 0; length--) {
          key.append(alphabet.charAt(random.nextInt(alphabet.length())));
        }
        keys.add(key.toString());
      }
      store = new byte[][] {};
      store(keys.stream());
      assertThat(read(PREFIX, 1 + random.nextInt(12))).as("seed %d", seed).isEqualTo(stored());
    }
  }
}
