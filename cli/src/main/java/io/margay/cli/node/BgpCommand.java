package io.margay.cli.node;

import picocli.CommandLine.Command;

/// `margay bgp`: the speaker of a running agent or bgpd.
@Command(
    name = "bgp",
    description = "Peers and routes of a running BGP speaker: the agent's, or bgpd's",
    subcommands = {BgpPeersCommand.class, BgpRoutesCommand.class, BgpRibCommand.class},
    synopsisSubcommandLabel = "peers|routes|rib")
public final class BgpCommand {}
