package io.margay.cli.resource;

import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Listing;
import io.margay.datastore.Txn;
import io.margay.datastore.Watch;
import io.margay.datastore.WatchListener;
import java.io.ByteArrayInputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine;

/// The resource commands on a store in memory.
final class MargayRun {

  @CommandLine.Command(name = "margay")
  private static final class Margay {}

  final InMemoryDatastore store;
  final Map<String, String> environment = new HashMap<>();
  DatastoreOptions.Opener opener;
  String out = "";
  String err = "";

  MargayRun() {
    this(new InMemoryDatastore());
  }

  /// Of another user of the same store.
  MargayRun(InMemoryDatastore store) {
    this.store = store;
    this.opener = _ -> new Forwarding(store);
  }

  /// @return the exit code
  int margay(String stdin, String... arguments) {
    CommandLine line = new CommandLine(new Margay());
    StringWriter outText = new StringWriter();
    StringWriter errText = new StringWriter();
    ResourceCommands.Surroundings surroundings =
        new ResourceCommands.Surroundings(
            settings -> opener.open(settings),
            new ByteArrayInputStream(stdin.getBytes(StandardCharsets.UTF_8)),
            InstantSource.fixed(Instant.parse("2026-01-31T12:00:00.5Z")),
            environment,
            Path.of("/nowhere/calicoctl.cfg"));
    ResourceCommands.NAMES.forEach(
        name ->
            line.addSubcommand(name, ResourceCommands.command(name, surroundings).orElseThrow()));
    line.setOut(new PrintWriter(outText));
    line.setErr(new PrintWriter(errText));
    int code = line.execute(arguments);
    out = outText.toString();
    err = errText.toString();
    return code;
  }

  /// Commands close what they opened; the test goes on reading.
  static class Forwarding implements Datastore {
    final InMemoryDatastore store;

    Forwarding(InMemoryDatastore store) {
      this.store = store;
    }

    @Override
    public Optional<KeyValue> get(String key) throws DatastoreException {
      return store.get(key);
    }

    @Override
    public Listing getAll(List<String> keys) throws DatastoreException {
      return store.getAll(keys);
    }

    @Override
    public Listing list(String prefix) throws DatastoreException {
      return store.list(prefix);
    }

    @Override
    public CommitResult commit(Txn txn) throws DatastoreException {
      return store.commit(txn);
    }

    @Override
    public Watch watch(String prefix, long from, WatchListener listener) {
      return store.watch(prefix, from, listener);
    }

    @Override
    public void close() {}
  }
}
