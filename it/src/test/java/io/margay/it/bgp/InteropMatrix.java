package io.margay.it.bgp;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;

/// Collects verdicts of tests marked [Feature] and writes them, when the run ends, as a table of
/// feature × daemon: `it/target/interop-matrix.md`.
final class InteropMatrix implements InvocationInterceptor {

  private static final List<String> MEASURED = new ArrayList<>();

  /// A figure worth reading beside the table.
  static void measured(String line) {
    synchronized (MEASURED) {
      MEASURED.add(line);
    }
  }

  @Override
  public void interceptTestMethod(
      Invocation<@Nullable Void> invocation,
      ReflectiveInvocationContext<Method> call,
      ExtensionContext context)
      throws Throwable {
    record(invocation, call, context);
  }

  @Override
  public void interceptTestTemplateMethod(
      Invocation<@Nullable Void> invocation,
      ReflectiveInvocationContext<Method> call,
      ExtensionContext context)
      throws Throwable {
    record(invocation, call, context);
  }

  private static void record(
      Invocation<@Nullable Void> invocation,
      ReflectiveInvocationContext<Method> call,
      ExtensionContext context)
      throws Throwable {
    Feature feature = call.getExecutable().getAnnotation(Feature.class);
    if (feature == null) {
      invocation.proceed();
      return;
    }
    Table table =
        context
            .getRoot()
            .getStore(ExtensionContext.Namespace.create(InteropMatrix.class))
            .computeIfAbsent(Table.class, key -> new Table(), Table.class);
    List<Daemon> columns = new ArrayList<>(List.of(feature.by()));
    for (Object argument : call.getArguments()) {
      if (argument instanceof Daemon daemon) {
        columns.add(daemon);
      }
    }
    table.add(feature);
    try {
      invocation.proceed();
    } catch (Throwable failed) {
      columns.forEach(daemon -> table.verdict(feature.value(), daemon, "**FAIL**"));
      throw failed;
    }
    columns.forEach(daemon -> table.verdict(feature.value(), daemon, "pass"));
  }

  /// One per run; the last to leave writes it.
  private static final class Table implements AutoCloseable {

    private final Map<String, Map<Daemon, String>> rows = new TreeMap<>();
    private final Map<String, String> lacking = new TreeMap<>();

    synchronized void add(Feature feature) {
      Map<Daemon, String> row =
          rows.computeIfAbsent(feature.value(), name -> new EnumMap<>(Daemon.class));
      for (String one : feature.cannot()) {
        int colon = one.indexOf(':');
        Daemon daemon = Daemon.valueOf(one.substring(0, colon));
        row.putIfAbsent(daemon, "cannot");
        lacking.put(feature.value() + ", " + daemon, one.substring(colon + 1).trim());
      }
    }

    /// A failure stays: a cell of several tests passes when all of them do.
    synchronized void verdict(String feature, Daemon daemon, String verdict) {
      Map<Daemon, String> row = rows.get(feature);
      if (row != null) {
        row.merge(daemon, verdict, (old, next) -> old.equals("**FAIL**") ? old : next);
      }
    }

    @Override
    public synchronized void close() {
      StringBuilder text = new StringBuilder("# Interoperability of `margay bgpd`\n\n");
      text.append("| feature | BIRD 2 | FRR | GoBGP | OpenBGPD | ExaBGP |\n");
      text.append("|---|---|---|---|---|---|\n");
      rows.forEach(
          (feature, row) -> {
            text.append("| " + feature + " |");
            for (Daemon daemon : Daemon.values()) {
              text.append(" " + row.getOrDefault(daemon, "-") + " |");
            }
            text.append("\n");
          });
      text.append("\n`cannot`: the daemon lacks it. `-`: not tried.\n\n");
      lacking.forEach((cell, why) -> text.append("- " + cell + ": " + why + "\n"));
      synchronized (MEASURED) {
        text.append(MEASURED.isEmpty() ? "" : "\n## Measured in this run\n\n");
        MEASURED.stream().sorted().forEach(line -> text.append("- " + line + "\n"));
      }
      Path file =
          Path.of(System.getProperty("margay.root", ".."), "it", "target", "interop-matrix.md");
      try {
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
      } catch (IOException full) {
        throw new UncheckedIOException(full);
      }
      System.out.println(text);
    }
  }
}
