package io.margay.cli.ipam;

import io.margay.cli.ExitCodes;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.ipam.care.IpamSettings;
import io.margay.model.resource.IPAMConfigurationSpec;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Reads and changes the cluster-wide settings of address assignment.
@Command(
    name = "configure",
    mixinStandardHelpOptions = true,
    description = {
      "Change how addresses are assigned in the whole cluster; without options, show it.",
      "The same as IPAMConfiguration default, which margay get and apply know."
    })
final class ConfigureCommand extends IpamCommand {

  @Option(
      names = "--strictaffinity",
      paramLabel = "true|false",
      description = "whether nodes take addresses from their own blocks only")
  private @Nullable Boolean strictAffinity;

  @Option(
      names = "--auto-allocate-blocks",
      paramLabel = "true|false",
      description = "whether nodes may claim blocks")
  private @Nullable Boolean autoAllocateBlocks;

  @Option(
      names = "--max-blocks-per-host",
      paramLabel = "NUMBER",
      description = "most blocks a node may own; 0 = the built-in limit")
  private @Nullable Integer maxBlocksPerHost;

  @Option(
      names = {"--ip-cooldown-seconds", "--cooldown-seconds"},
      paramLabel = "SECONDS",
      description = "how long a freed address rests before it is given out again, at most 1200")
  private @Nullable Integer cooldownSeconds;

  @Option(
      names = "--kubevirt-ip-persistence",
      paramLabel = "Enabled|Disabled",
      description = "kept for Calico; without effect here")
  private @Nullable String kubeVirtPersistence;

  ConfigureCommand(IpamCommands.Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  int run(Datastore datastore) throws DatastoreException {
    if (strictAffinity == null
        && autoAllocateBlocks == null
        && maxBlocksPerHost == null
        && cooldownSeconds == null
        && kubeVirtPersistence == null) {
      out().print(ShowCommand.configuration(IpamSettings.read(datastore)));
      return ExitCodes.OK;
    }
    return switch (IpamSettings.change(datastore, this::changed)) {
      case IpamSettings.Result.Done(IPAMConfigurationSpec spec) -> {
        out().print(ShowCommand.configuration(spec));
        yield ExitCodes.OK;
      }
      case IpamSettings.Result.Unchanged _ -> {
        out().println("it is so already");
        yield ExitCodes.OK;
      }
      case IpamSettings.Result.Refused(String reason) ->
          fail("nothing was changed: " + reason, ExitCodes.FAILED);
    };
  }

  private IPAMConfigurationSpec changed(IPAMConfigurationSpec before) {
    return new IPAMConfigurationSpec(
        strictAffinity == null ? before.strictAffinity() : strictAffinity,
        autoAllocateBlocks == null ? before.autoAllocateBlocks() : autoAllocateBlocks,
        maxBlocksPerHost == null ? before.maxBlocksPerHost() : maxBlocksPerHost,
        kubeVirtPersistence == null ? before.kubeVirtVMAddressPersistence() : kubeVirtPersistence,
        cooldownSeconds == null ? before.ipCooldownSeconds() : cooldownSeconds,
        before.unknown());
  }
}
