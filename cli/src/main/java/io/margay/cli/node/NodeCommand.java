package io.margay.cli.node;

import picocli.CommandLine.Command;

/// `margay node`: a running agent.
@Command(
    name = "node",
    description = "State of a running agent",
    subcommands = NodeStatusCommand.class,
    synopsisSubcommandLabel = "status")
public final class NodeCommand {}
