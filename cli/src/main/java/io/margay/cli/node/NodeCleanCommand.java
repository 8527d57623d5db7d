package io.margay.cli.node;

import io.margay.agent.AgentPresence;
import io.margay.agent.NodeAgent;
import io.margay.agent.birth.HostSysctls;
import io.margay.agent.settings.AgentSettings;
import io.margay.cli.ExitCodes;
import io.margay.cni.journal.Attachment;
import io.margay.linux.LinuxException;
import io.margay.linux.netns.Sysctl;
import io.margay.linux.nft.KernelNftables;
import io.margay.linux.nft.NftException;
import io.margay.linux.nft.NftOp;
import io.margay.linux.nft.NftTableName;
import io.margay.linux.route.GroupedRoutes;
import io.margay.linux.route.Link;
import io.margay.linux.route.NextHopChange;
import io.margay.linux.route.NextHopFailure;
import io.margay.linux.route.NextHopObject;
import io.margay.linux.route.Route;
import io.margay.linux.route.RouteChange;
import io.margay.linux.route.RouteFailure;
import io.margay.linux.route.Rtnetlink;
import io.margay.model.net.IpFamily;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `margay node clean`: takes what is ours out of this network namespace, told by its marks alone
/// (tables `margay`, route protocol 117, aliases `margay:`), so that a node can be given to
/// something else.
@Command(
    name = "clean",
    description = {
      "Take what agents left in this node's kernel away.",
      "Pods' interfaces, routes, the nftables tables, and settings of the kernel back to what they",
      "were. Without --yes it only says what. Pods lose their network. Needs root, and no agent",
      "running here. What others made stays, and what the datastore has of the node: margay delete",
      "node NAME frees that."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done, or nothing to do",
      "1:something is left; it is named",
      "4:an agent runs here; nothing was done"
    })
public final class NodeCleanCommand implements Callable<Integer> {

  @Option(names = "--yes", description = "do it")
  private boolean yes;

  @Option(
      names = "--state-dir",
      paramLabel = "DIR",
      description = "the agent's stateDir (default: /var/lib/margay)")
  private Path stateDir = AgentSettings.DEFAULT_STATE_DIR;

  @Spec private CommandSpec spec = CommandSpec.create();

  private boolean isAnything;
  private int left;

  @Override
  public Integer call() {
    PrintWriter err = spec.commandLine().getErr();
    try {
      // Held to the end, so that no agent starts in between.
      Optional<AgentPresence> presence = AgentPresence.take();
      if (presence.isEmpty()) {
        err.println(
            "margay: an agent runs in this network namespace; stop it first (systemctl stop"
                + " margay). Nothing was done");
        return ExitCodes.CONFLICT;
      }
      try (AgentPresence _ = presence.get()) {
        clean();
      }
    } catch (IOException | NftException refused) {
      err.println("margay: " + refused.getMessage() + "; what comes after it was not done");
      return ExitCodes.FAILED;
    }
    if (!isAnything) {
      spec.commandLine().getOut().println("nothing of ours is in this network namespace");
    }
    spec.commandLine().getOut().flush();
    if (left > 0) {
      err.println("margay: " + left + " things are left; repeat margay node clean --yes");
      return ExitCodes.FAILED;
    }
    return ExitCodes.OK;
  }

  /// Links go first, since packets of pods without tables would pass unpoliced; tables go after the
  /// last route to a pod.
  private void clean() throws IOException, NftException {
    try (Rtnetlink netlink = Rtnetlink.open()) {
      links(netlink);
      routes(netlink);
      objects(netlink);
    }
    tables();
    sysctls();
  }

  private void links(Rtnetlink netlink) throws LinuxException {
    for (Link link : netlink.links().list()) {
      if (Attachment.isAlias(link.alias())) {
        say("interface " + link.name() + " (" + link.alias() + ")");
        if (yes) {
          // One that is gone meanwhile, as the other end's namespace may be, is what was wanted.
          netlink.links().delete(link.index());
        }
      }
    }
  }

  private void routes(Rtnetlink netlink) throws LinuxException {
    List<RouteChange> deletions = new ArrayList<>();
    for (Route route : netlink.routes().dumpOurs()) {
      say("route " + route);
      deletions.add(new RouteChange.Delete(route));
    }
    if (yes && !deletions.isEmpty()) {
      for (RouteFailure failure : netlink.routes().apply(deletions)) {
        left++;
        spec.commandLine().getErr().println("margay: " + failure.cause().getMessage());
      }
    }
  }

  /// Groups first: without members they would vanish by themselves, unsaid.
  private void objects(Rtnetlink netlink) throws LinuxException {
    List<NextHopObject> found =
        GroupedRoutes.objectsOf(netlink.nextHopObjects(), Route.OUR_PROTOCOL);
    found.forEach(object -> say("next-hop object " + object));
    if (yes && !found.isEmpty()) {
      List<NextHopChange> deletions = new ArrayList<>();
      found.forEach(object -> deletions.add(new NextHopChange.Delete(object.id())));
      for (NextHopFailure failure : netlink.nextHopObjects().applyObjects(deletions)) {
        left++;
        spec.commandLine().getErr().println("margay: " + failure.cause().getMessage());
      }
    }
  }

  private void tables() throws NftException {
    try (KernelNftables kernel = KernelNftables.open()) {
      List<NftOp> deletions = new ArrayList<>();
      for (IpFamily family : IpFamily.values()) {
        NftTableName name = new NftTableName(family, NodeAgent.TABLE);
        if (kernel.dump(name).isPresent()) {
          say("table " + name);
          deletions.add(new NftOp.DeleteTable(name));
        }
      }
      if (yes) {
        kernel.commit(deletions);
      }
    }
  }

  private void sysctls() throws IOException {
    HostSysctls settings = HostSysctls.of(stateDir);
    for (Map.Entry<Sysctl, String> entry : settings.restorable().entrySet()) {
      isAnything = true;
      spec.commandLine()
          .getOut()
          .println(
              entry.getKey()
                  + (yes ? " set back to " : " would be set back to ")
                  + entry.getValue());
    }
    if (yes) {
      settings.restore();
    }
  }

  private void say(String what) {
    isAnything = true;
    spec.commandLine().getOut().println(what + (yes ? " removed" : " would be removed"));
  }
}
