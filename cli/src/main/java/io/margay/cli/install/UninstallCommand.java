package io.margay.cli.install;

import io.margay.cli.ExitCodes;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// `margay uninstall`: what `margay install` put there, in reverse order.
@Command(
    name = "uninstall",
    description = {
      "Take the CNI plugin away: 05-margay.conflist first, so that no runtime starts further pods,",
      "then margay-cni, margay-ipam and the name of our routes' origin. Pods that run can't be deleted without the plugin: delete",
      "them first."
    })
public final class UninstallCommand implements Callable<Integer> {

  private static final List<String> BINARIES = List.of(Conflist.PLUGIN, Conflist.IPAM);

  @Mixin private InstallPlaces places = new InstallPlaces();

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    PrintWriter err = spec.commandLine().getErr();
    try {
      return uninstall();
    } catch (IOException failure) {
      err.println(
          "margay: "
              + failure.getClass().getSimpleName()
              + ": "
              + failure.getMessage()
              + "; repeat margay uninstall");
      return ExitCodes.FAILED;
    }
  }

  private int uninstall() throws IOException {
    PrintWriter err = spec.commandLine().getErr();
    ConfDirectory directory = ConfDirectory.read(places.confDirectory());
    PlacedFile conflist = places.conflist("rw-------");
    if (Files.exists(conflist.path()) && !places.isForced()) {
      Optional<Conflist> found = directory.find(InstallPlaces.CONFLIST);
      if (found.isEmpty() || !found.get().isOurs()) {
        err.println(
            "margay: "
                + conflist.path()
                + " has no plugin of type "
                + Conflist.PLUGIN
                + ": it is not ours; nothing was done, --force removes it");
        return ExitCodes.CONFLICT;
      }
    }
    remove(conflist);
    List<String> users = directory.usersOf(Set.copyOf(BINARIES), InstallPlaces.CONFLIST);
    if (!users.isEmpty() && !places.isForced()) {
      users.forEach(
          user ->
              err.println("margay: " + places.confDirectory().resolve(user) + " uses the plugin"));
      err.println("margay: the binaries stay; --force removes them");
      return ExitCodes.CONFLICT;
    }
    for (String binary : BINARIES) {
      remove(places.binary(binary));
    }
    remove(places.protocols());
    if (places.isWithService()) {
      PlacedFile unit = places.unit();
      if (Files.exists(unit.path()) && !ServiceUnit.isOurs(unit.path()) && !places.isForced()) {
        err.println("margay: " + unit.path() + " is not ours; it stays, --force removes it");
        return ExitCodes.CONFLICT;
      }
      remove(unit);
    }
    err.println(
        "margay: what agents left in this node's kernel stays; margay node clean takes it away");
    return ExitCodes.OK;
  }

  private void remove(PlacedFile file) throws IOException {
    Path path = file.path();
    boolean wasThere = places.isDryRun() ? Files.exists(path) : file.remove();
    spec.commandLine()
        .getOut()
        .println(
            path
                + (wasThere ? places.isDryRun() ? " would be removed" : " removed" : " not there"));
  }
}
