package io.margay.bench.policy;

import io.margay.linux.nft.KernelNftables;
import io.margay.linux.nft.NftData;
import io.margay.linux.nft.NftElement;
import io.margay.linux.nft.NftField;
import io.margay.linux.nft.NftSet;
import io.margay.linux.nft.NftTable;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/// Elements of large sets, written by us and by the `nft` command, in turns, in the network
/// namespace this runs in: the load of a whole set, and one element more.
public final class KernelBench {

  private static final int[] SIZES = {1_000, 10_000, 100_000};
  private static final int ROUNDS = 400;
  private static final int PEER_ROUNDS = 15;
  private static final int MARK = 7;

  private KernelBench() {}

  /// @param arguments a directory for the peer's files
  public static void main(String[] arguments) throws Exception {
    Path work = Path.of(arguments[0]);
    for (boolean interval : new boolean[] {false, true}) {
      for (int size : SIZES) {
        measure(work, interval, size);
      }
    }
  }

  private static void measure(Path work, boolean interval, int size) throws Exception {
    NftSet set =
        interval
            ? NftSet.interval("s", NftField.MARK, NftField.IPV4_ADDRESS)
            : NftSet.hash("s", NftField.MARK, NftField.IPV4_ADDRESS);
    String kind = interval ? "interval" : "hash";
    try (NftTable table = new NftTable(KernelNftables.open(), "ours", NftTable.Ownership.NEVER)) {
      table.declareSet(IpFamily.IPV4, set);
      for (int i = 0; i < size; i++) {
        table.putElement(IpFamily.IPV4, "s", element(interval, i));
      }
      long began = System.nanoTime();
      table.apply();
      long ours = System.nanoTime() - began;
      long theirs = nft(write(work, interval, size));
      print(
          "%s set, load of %d: %.1f ms; nft -f %.1f ms (%.2f of it)",
          kind, size, ours / 1e6, theirs / 1e6, (double) ours / theirs);
      long[] one = new long[ROUNDS];
      for (int round = -ROUNDS / 4; round < ROUNDS; round++) {
        NftElement element = element(interval, size + 1 + Math.floorMod(round, 50));
        table.putElement(IpFamily.IPV4, "s", element);
        long from = System.nanoTime();
        table.apply();
        if (round >= 0) {
          one[round] = System.nanoTime() - from;
        }
        table.removeElement(IpFamily.IPV4, "s", element.key());
        table.apply();
      }
      long[] peer = new long[PEER_ROUNDS];
      Path file = work.resolve("one.nft");
      for (int round = 0; round < PEER_ROUNDS; round++) {
        Files.writeString(
            file, "add element ip theirs s { " + text(interval, size + 1 + round) + " }\n");
        peer[round] = nft(file);
      }
      Arrays.sort(one);
      Arrays.sort(peer);
      print(
          "%s set of %d, one element more: p50 %.0f us, p99 %.0f us; nft process p50 %.1f ms"
              + " (%.4f of it)",
          kind,
          size,
          one[ROUNDS / 2] / 1e3,
          one[ROUNDS * 99 / 100] / 1e3,
          peer[PEER_ROUNDS / 2] / 1e6,
          (double) one[ROUNDS / 2] / peer[PEER_ROUNDS / 2]);
      table.destroy();
    }
    Files.writeString(work.resolve("gone.nft"), "delete table ip theirs\n");
    nft(work.resolve("gone.nft"));
  }

  private static String address(int number) {
    return "10." + (number >> 16) + "." + (number >> 8 & 255) + "." + (number & 255);
  }

  /// /30s lie four addresses apart.
  private static NftElement element(boolean interval, int number) {
    NftData mark = NftData.hostOrder(MARK);
    if (!interval) {
      return NftElement.of(NftData.concat(mark, NftData.address(IpAddress.parse(address(number)))));
    }
    return NftElement.range(
        NftData.concat(mark, NftData.address(IpAddress.parse(address(number * 4)))),
        NftData.concat(mark, NftData.address(IpAddress.parse(address(number * 4 + 3)))));
  }

  private static String text(boolean interval, int number) {
    return "0x7 . " + (interval ? address(number * 4) + "/30" : address(number));
  }

  private static Path write(Path work, boolean interval, int size) throws IOException {
    StringBuilder text =
        new StringBuilder("table ip theirs {\n set s {\n  type mark . ipv4_addr\n")
            .append(interval ? "  flags interval\n" : "")
            .append("  elements = { ");
    for (int i = 0; i < size; i++) {
      text.append(i == 0 ? "" : ",\n").append(text(interval, i));
    }
    return Files.writeString(work.resolve("load.nft"), text.append(" }\n }\n}\n"));
  }

  private static long nft(Path file) throws IOException, InterruptedException {
    long began = System.nanoTime();
    Process process =
        new ProcessBuilder(List.of("nft", "-f", file.toString()))
            .redirectErrorStream(true)
            .redirectOutput(file.resolveSibling("nft.out").toFile())
            .start();
    if (!process.waitFor(5, TimeUnit.MINUTES) || process.exitValue() != 0) {
      process.destroyForcibly();
      throw new IOException(
          "nft -f " + file + ": " + Files.readString(file.resolveSibling("nft.out")));
    }
    return System.nanoTime() - began;
  }

  private static void print(String format, Object... values) {
    System.out.println(String.format(Locale.ROOT, format, values));
  }
}
