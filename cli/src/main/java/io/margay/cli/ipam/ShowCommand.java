package io.margay.cli.ipam;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.cli.ExitCodes;
import io.margay.cli.TextTable;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.ipam.Block;
import io.margay.ipam.Unreadable;
import io.margay.ipam.care.AllocationReport;
import io.margay.ipam.care.IpamSettings;
import io.margay.ipam.care.IpamState;
import io.margay.ipam.care.Utilization;
import io.margay.model.net.IpAddress;
import io.margay.model.resource.IPAMConfigurationSpec;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// How full pools and blocks are, who has an address, who borrows.
@Command(
    name = "show",
    mixinStandardHelpOptions = true,
    description = "How full each pool is; one address; what is borrowed; the settings.")
final class ShowCommand extends IpamCommand {

  /// From here on a number is shown by its size alone, as calicoctl does.
  private static final BigInteger LARGE = BigInteger.valueOf(100_000);

  @Option(names = "--show-blocks", description = "each block as well")
  private boolean showBlocks;

  @Option(names = "--ip", paramLabel = "IP", description = "who has this address")
  private @Nullable String ip;

  @Option(names = "--show-borrowed", description = "addresses from blocks of other nodes")
  private boolean showBorrowed;

  @Option(names = "--show-configuration", description = "the cluster-wide settings")
  private boolean showConfiguration;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      description = "${COMPLETION-CANDIDATES} (default: text)",
      defaultValue = "text")
  private Output output = Output.text;

  ShowCommand(IpamCommands.Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  int run(Datastore datastore) throws DatastoreException {
    int asked = (ip == null ? 0 : 1) + (showBorrowed ? 1 : 0) + (showConfiguration ? 1 : 0);
    if (asked > 1) {
      return fail(
          "--ip, --show-borrowed and --show-configuration exclude each other", ExitCodes.USAGE);
    }
    String address = ip;
    if (address != null) {
      IpamState state = read(datastore);
      Optional<Unreadable> block = state.unreadableAround(IpAddress.parse(address));
      if (block.isPresent()) {
        return fail(
            address + " is in a block that can't be read: " + block.get().sentence(),
            ExitCodes.FAILED);
      }
      address(state, IpAddress.parse(address));
    } else if (showBorrowed) {
      borrowed(AllocationReport.of(read(datastore), surroundings().version()));
    } else if (showConfiguration) {
      out().print(configuration(IpamSettings.read(datastore)));
    } else {
      utilization(Utilization.of(read(datastore)));
    }
    return ExitCodes.OK;
  }

  private void utilization(List<Utilization> pools) {
    if (output == Output.json) {
      out().println(json(pools).toPrettyString());
      return;
    }
    TextTable table =
        new TextTable(
            "GROUPING", "CIDR", "IPS TOTAL", "IPS IN USE", "IPS RESERVED", "IPS FREE", "COOLING");
    for (Utilization pool : pools) {
      pool.cidr()
          .ifPresent(
              cidr ->
                  table.row(
                      "IP Pool",
                      cidr.toString(),
                      number(pool.total()),
                      part(BigInteger.valueOf(pool.inUse()), pool.total()),
                      part(pool.reserved(), pool.total()),
                      part(pool.free(), pool.total()),
                      Integer.toString(pool.cooling())));
      if (showBlocks || pool.cidr().isEmpty()) {
        for (Utilization.BlockUse block : pool.blocks()) {
          BigInteger total = BigInteger.valueOf(block.total());
          table.row(
              "Block",
              block.cidr().toString(),
              number(total),
              part(BigInteger.valueOf(block.inUse()), total),
              part(BigInteger.valueOf(block.reserved()), total),
              part(BigInteger.valueOf(block.free()), total),
              Integer.toString(block.cooling()));
        }
      }
    }
    out().print(table);
  }

  /// At most five digits: `4096`, `1.8447e+19`.
  static String number(BigInteger number) {
    return number.compareTo(LARGE) < 0
        ? number.toString()
        : String.format(Locale.ROOT, "%.4e", new BigDecimal(number));
  }

  private static String part(BigInteger number, BigInteger total) {
    return number(number)
        + " ("
        + Math.round(100 * number.doubleValue() / total.doubleValue())
        + "%)";
  }

  private static ArrayNode json(List<Utilization> pools) {
    ArrayNode array = JsonMapper.builder().build().createArrayNode();
    for (Utilization pool : pools) {
      ObjectNode item = array.addObject();
      item.put("name", pool.name());
      pool.cidr().ifPresent(cidr -> item.put("cidr", cidr.toString()));
      item.put("total", pool.total());
      item.put("inUse", pool.inUse());
      item.put("reserved", pool.reserved());
      item.put("free", pool.free());
      item.put("cooling", pool.cooling());
      ArrayNode blocks = item.putArray("blocks");
      for (Utilization.BlockUse block : pool.blocks()) {
        blocks
            .addObject()
            .put("cidr", block.cidr().toString())
            .put("affinity", block.affinity())
            .put("total", block.total())
            .put("inUse", block.inUse())
            .put("reserved", block.reserved())
            .put("free", block.free())
            .put("cooling", block.cooling());
      }
    }
    return array;
  }

  private void address(IpamState state, IpAddress address) {
    Optional<Block.Allocation> held = state.allocationOf(address);
    if (output == Output.json) {
      ObjectNode item = JsonMapper.builder().build().createObjectNode();
      item.put("ip", address.toString());
      item.put("assigned", held.filter(one -> !one.isResting()).isPresent());
      held.ifPresent(
          one -> {
            item.put("handle", one.holder().cleanHandleId().orElse(null));
            ObjectNode attributes = item.putObject("attributes");
            one.holder().secondary().forEach(attributes::put);
            item.put("sequenceNumber", one.sequenceNumber());
            one.holder().releasedAt().ifPresent(at -> item.put("releasedAt", at.toString()));
          });
      ArrayNode endpoints = item.putArray("endpoints");
      state.usesOf(address).forEach(use -> endpoints.add(use.name()));
      out().println(item.toPrettyString());
      return;
    }
    if (held.isEmpty()) {
      out().println(address + " is not assigned");
    } else if (held.get().isResting()) {
      out()
          .println(
              address
                  + " is not assigned; it rests since "
                  + held.get().holder().releasedAt().get());
    } else {
      out().println("IP " + address + " is in use");
      out().println("Handle ID: " + held.get().holder().cleanHandleId().orElse("<none>"));
      if (held.get().holder().secondary().isEmpty()) {
        out().println("No attributes defined");
      } else {
        out().println("Attributes:");
        held.get()
            .holder()
            .secondary()
            .forEach((key, value) -> out().println("  " + key + ": " + value));
      }
    }
    state.usesOf(address).forEach(use -> out().println("Used by endpoint " + use.name()));
  }

  private void borrowed(AllocationReport report) {
    List<AllocationReport.Allocation> borrowed =
        report.allocations().values().stream()
            .flatMap(List::stream)
            .filter(AllocationReport.Allocation::borrowed)
            .toList();
    if (output == Output.json) {
      ArrayNode array = JsonMapper.builder().build().createArrayNode();
      borrowed.forEach(
          one ->
              array
                  .addObject()
                  .put("ip", one.address().toString())
                  .put("node", one.node())
                  .put("handle", one.handle())
                  .put("allocatedTo", allocatedTo(one)));
      out().println(array.toPrettyString());
      return;
    }
    TextTable table = new TextTable("IP", "BORROWING-NODE", "TYPE", "ALLOCATED-TO");
    borrowed.forEach(
        one ->
            table.row(
                one.address().toString(),
                one.node(),
                one.attributes()
                    .getOrDefault("type", one.attributes().containsKey("pod") ? "pod" : ""),
                allocatedTo(one)));
    out().print(table);
  }

  private static String allocatedTo(AllocationReport.Allocation one) {
    return one.attributes().containsKey("pod")
        ? one.attributes().getOrDefault("namespace", "") + "/" + one.attributes().get("pod")
        : one.handle();
  }

  static String configuration(IPAMConfigurationSpec spec) {
    TextTable table = new TextTable("PROPERTY", "VALUE");
    table.row("StrictAffinity", Boolean.toString(spec.isStrictAffinity()));
    table.row("AutoAllocateBlocks", Boolean.toString(spec.mayAllocateBlocks()));
    table.row(
        "MaxBlocksPerHost",
        Integer.toString(spec.maxBlocksPerHost() == null ? 0 : spec.maxBlocksPerHost()));
    table.row(
        "IPCooldownSeconds",
        Integer.toString(spec.ipCooldownSeconds() == null ? 0 : spec.ipCooldownSeconds()));
    if (spec.kubeVirtVMAddressPersistence() != null) {
      table.row("KubeVirtVMAddressPersistence", spec.kubeVirtVMAddressPersistence());
    }
    return table.toString();
  }
}
