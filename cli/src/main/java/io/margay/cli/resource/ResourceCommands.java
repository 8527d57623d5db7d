package io.margay.cli.resource;

import io.margay.datastore.etcd.EtcdDatastore;
import java.io.InputStream;
import java.time.InstantSource;
import picocli.CommandLine;

/// The resource commands, to be hung under `margay`: apply, create, replace, delete, get, validate.
public final class ResourceCommands {

  /// What the commands need of the world outside.
  ///
  /// @param opener opens the datastore
  /// @param standardInput what `-f -` reads
  /// @param clock birthdays of new objects
  record Surroundings(
      DatastoreOptions.Opener opener, InputStream standardInput, InstantSource clock) {}

  private ResourceCommands() {}

  /// Adds the commands to `margay`, working on etcd.
  public static void register(CommandLine margay) {
    register(margay, new Surroundings(EtcdDatastore::open, System.in, InstantSource.system()));
  }

  static void register(CommandLine margay, Surroundings surroundings) {
    margay
        .addSubcommand(new WriteCommand.Apply(surroundings))
        .addSubcommand(new WriteCommand.Create(surroundings))
        .addSubcommand(new WriteCommand.Replace(surroundings))
        .addSubcommand(new DeleteCommand(surroundings))
        .addSubcommand(new GetCommand(surroundings))
        .addSubcommand(new ValidateCommand(surroundings));
  }
}
