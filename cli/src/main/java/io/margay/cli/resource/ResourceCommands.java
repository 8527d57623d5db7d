package io.margay.cli.resource;

import io.margay.datastore.etcd.EtcdDatastore;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The resource commands, to be hung under `margay`: apply, create, replace, patch, delete, get,
/// label, validate.
public final class ResourceCommands {

  /// What the commands need of the world outside.
  ///
  /// @param opener opens the datastore
  /// @param standardInput what `-f -` reads
  /// @param clock birthdays of new objects
  /// @param environment calicoctl's variables
  /// @param standardConfig where calicoctl's configuration is if no option says so
  record Surroundings(
      DatastoreOptions.Opener opener,
      InputStream standardInput,
      InstantSource clock,
      Map<String, String> environment,
      Path standardConfig) {

    Surroundings {
      environment = Map.copyOf(environment);
    }
  }

  private ResourceCommands() {}

  /// What the commands are called, in the order of the help text.
  public static final List<String> NAMES =
      List.of("apply", "create", "replace", "patch", "delete", "get", "label", "validate");

  /// The command of that name, working on etcd; empty if it is none of these.
  public static Optional<Object> command(String name) {
    return command(
        name,
        new Surroundings(
            EtcdDatastore::open,
            System.in,
            InstantSource.system(),
            System.getenv(),
            CalicoctlConfig.DEFAULT_FILE));
  }

  static Optional<Object> command(String name, Surroundings surroundings) {
    return Optional.ofNullable(
        switch (name) {
          case "apply" -> new WriteCommand.Apply(surroundings);
          case "create" -> new WriteCommand.Create(surroundings);
          case "replace" -> new WriteCommand.Replace(surroundings);
          case "patch" -> new PatchCommand(surroundings);
          case "label" -> new LabelCommand(surroundings);
          case "delete" -> new DeleteCommand(surroundings);
          case "get" -> new GetCommand(surroundings);
          case "validate" -> new ValidateCommand(surroundings);
          default -> null;
        });
  }
}
