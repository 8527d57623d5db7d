package io.margay.cni;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.Duty;
import io.margay.cni.protocol.CniRequest;
import io.margay.cni.protocol.CniVariable;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.cni.spec.CniJson;
import io.margay.cni.spec.CniResult;
import io.margay.cni.spec.CniVerb;
import io.margay.cni.spec.Dns;
import io.margay.cni.spec.NetConf;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Runs the IPAM plugin that a configuration names instead of ours, as the specification's section
/// 4 has it: the same environment with another `CNI_COMMAND`, the complete configuration on
/// standard input.
///
/// The agent runs it and not the client, though a runtime in another mount namespace sees other
/// files in `CNI_PATH`: an ADD whose client was killed, a DEL that waited on disk, and a release
/// that is repeated all need the plugin when no client is there. Such a runtime's directory has to
/// be mounted into the agent's container; the error says so.
final class Delegates {

  /// How long an address may take: DHCP servers are slow.
  static final Duration ADD_LIMIT = Duration.ofSeconds(30);

  /// How long everything else may take; a DEL's client waits 20 s.
  static final Duration LIMIT = Duration.ofSeconds(10);

  /// How long output that is on its way may take after the end.
  private static final Duration OUTPUT_LIMIT = Duration.ofSeconds(1);

  /// A variable that all have which a plugin's run started, with a value of its own for each run.
  private static final String MARK = "MARGAY_IPAM_RUN";

  private static final Path PROCESSES = Path.of("/proc");

  /// What is kept of a plugin's standard error.
  private static final int MAX_LOG_OCTETS = 16 << 10;

  private static final Logger LOG = LoggerFactory.getLogger(Delegates.class);

  private final Duration addLimit;
  private final Duration limit;

  Delegates() {
    this(ADD_LIMIT, LIMIT);
  }

  Delegates(Duration addLimit, Duration limit) {
    this.addLimit = addLimit;
    this.limit = limit;
  }

  /// How the IPAM plugin of a request is asked, if it is not ours.
  static Optional<Duty.Delegate> of(NetConf conf, CniRequest request) {
    return conf.ipam().isOwn()
        ? Optional.empty()
        : Optional.of(
            new Duty.Delegate(
                conf.ipam().type(),
                request.get(CniVariable.PATH),
                request.get(CniVariable.ARGS),
                new String(request.stdin(), StandardCharsets.UTF_8)));
  }

  /// Refuses a plugin that is not there, before anything is done that only it could undo.
  void require(Duty duty) throws CniException {
    if (duty instanceof Duty.Delegated(Duty.Delegate delegate, Dns _)) {
      find(delegate);
    }
  }

  boolean isThere(Duty.Delegate delegate) {
    try {
      find(delegate);
      return true;
    } catch (CniException missing) {
      return false;
    }
  }

  /// Asks about an attachment.
  ///
  /// @return what the plugin printed
  /// @throws CniException the error it printed, with its name before the message; 7 when there is
  ///   no such program; 11 when it took too long or died
  String run(CniVerb verb, Duty.Delegate delegate, Attachment attachment) throws CniException {
    Map<CniVariable, String> environment = new EnumMap<>(CniVariable.class);
    environment.put(CniVariable.CONTAINERID, attachment.id().containerId());
    environment.put(CniVariable.IFNAME, attachment.id().ifName().value());
    environment.put(CniVariable.NETNS, attachment.netnsPath());
    return run(verb, delegate, environment);
  }

  /// Asks about a network.
  String run(CniVerb verb, Duty.Delegate delegate) throws CniException {
    return run(verb, delegate, new EnumMap<>(CniVariable.class));
  }

  private String run(CniVerb verb, Duty.Delegate delegate, Map<CniVariable, String> environment)
      throws CniException {
    Path program = find(delegate);
    environment.put(CniVariable.COMMAND, verb.name());
    environment.put(CniVariable.PATH, delegate.path());
    environment.put(CniVariable.ARGS, delegate.args());
    ProcessBuilder builder = new ProcessBuilder(program.toString());
    builder.directory(Path.of("/").toFile());
    builder.environment().clear();
    builder
        .environment()
        .put("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    environment.forEach((name, value) -> builder.environment().put(name.variable(), value));
    String mark = UUID.randomUUID().toString();
    builder.environment().put(MARK, mark);
    Process process;
    try {
      process = builder.start();
    } catch (IOException refused) {
      throw new CniException(
          CniError.BAD_CONFIG,
          "key ipam.type: " + program + " can't be executed; reinstall it",
          refused);
    }
    Stream stdout = new Stream(process.getInputStream(), CniJson.MAX_OCTETS);
    Stream stderr = new Stream(process.getErrorStream(), MAX_LOG_OCTETS);
    feed(process, delegate.conf());
    try {
      int exitCode = await(process, mark, verb, program);
      String out = stdout.text();
      log(program, verb, stderr.text());
      if (exitCode != 0) {
        throw failed(delegate.type(), exitCode, out, stderr.text());
      }
      return out;
    } finally {
      process.destroyForcibly();
    }
  }

  /// The result of an ADD. Its shape is the configuration's version's.
  ///
  /// @throws CniException 6 or 7 if it is none, or has no address
  static CniResult result(String printed, Duty.Delegate delegate) throws CniException {
    CniResult result =
        NetConf.resultOf(
            CniJson.parse(printed.getBytes(StandardCharsets.UTF_8)),
            CniJson.parse(delegate.conf().getBytes(StandardCharsets.UTF_8)));
    if (result.ips().isEmpty()) {
      throw new CniException(
          CniError.BAD_CONFIG,
          "IPAM plugin " + delegate.type() + " answered without an address; see its configuration");
    }
    return result;
  }

  private static Path find(Duty.Delegate delegate) throws CniException {
    List<String> directories = List.of(delegate.path().split(":", -1));
    for (String directory : directories) {
      if (directory.startsWith("/")) {
        try {
          Path file = Path.of(directory, delegate.type());
          if (Files.isRegularFile(file) && Files.isExecutable(file)) {
            return file;
          }
        } catch (InvalidPathException notAPath) {
          // Nothing can be there.
        }
      }
    }
    throw new CniException(
        CniError.BAD_CONFIG,
        "key ipam.type: \""
            + delegate.type()
            + "\" found, but the agent sees no such program in CNI_PATH \""
            + delegate.path()
            + "\"; install it there, and mount that directory into the agent's container if it"
            + " runs in one");
  }

  /// A plugin that answers without reading closes its end, which is no fault.
  private static void feed(Process process, String conf) {
    Thread.ofPlatform()
        .daemon()
        .name("cni-delegate-in")
        .start(
            () -> {
              try (OutputStream stdin = process.getOutputStream()) {
                stdin.write(conf.getBytes(StandardCharsets.UTF_8));
              } catch (IOException closed) {
                LOG.atDebug().setCause(closed).log("an IPAM plugin did not read its configuration");
              }
            });
  }

  private int await(Process process, String mark, CniVerb verb, Path program) throws CniException {
    Duration allowed = verb == CniVerb.ADD ? addLimit : limit;
    try {
      if (process.waitFor(allowed.toMillis(), TimeUnit.MILLISECONDS)) {
        return process.exitValue();
      }
      kill(process, mark);
    } catch (InterruptedException stopping) {
      kill(process, mark);
      Thread.currentThread().interrupt();
      throw new CniException(CniError.TRY_LATER, "the agent is stopping; " + verb + " is repeated");
    }
    throw new CniException(
        CniError.TRY_LATER,
        "IPAM plugin "
            + program
            + " did not finish "
            + verb
            + " within "
            + allowed.toSeconds()
            + " s and was ended; see why it hangs");
  }

  /// Ends what a run has started, whoever has become its parent since, and in whatever session or
  /// process group it is.
  private static void kill(Process process, String mark) {
    process.destroyForcibly();
    String marked = MARK + "=" + mark;
    try (DirectoryStream<Path> all = Files.newDirectoryStream(PROCESSES, "[1-9]*")) {
      for (Path each : all) {
        if (environment(each).contains(marked)) {
          ProcessHandle.of(Long.parseLong(each.getFileName().toString()))
              .ifPresent(ProcessHandle::destroyForcibly);
        }
      }
    } catch (IOException | DirectoryIteratorException unreadable) {
      LOG.atWarn()
          .setCause(unreadable)
          .log("the children of an IPAM plugin that was ended can't be looked for");
    }
  }

  private static String environment(Path process) {
    try {
      return Files.readString(process.resolve("environ"), StandardCharsets.ISO_8859_1);
    } catch (IOException gone) {
      return "";
    }
  }

  private static void log(Path program, CniVerb verb, String text) {
    if (!text.isBlank()) {
      LOG.atInfo()
          .addKeyValue("program", program)
          .addKeyValue("verb", verb)
          .addKeyValue("said", text.strip())
          .log("an IPAM plugin wrote to its standard error");
    }
  }

  private static CniException failed(String type, int exitCode, String out, String log) {
    String plugin = "IPAM plugin " + type + ": ";
    try {
      ObjectNode error = CniJson.parse(out.getBytes(StandardCharsets.UTF_8));
      int code = error.path("code").asInt();
      String msg = error.path("msg").asText();
      if (code > 0 && !msg.isBlank()) {
        return new CniException(new CniError(code, plugin + msg, error.path("details").asText("")));
      }
    } catch (CniException noErrorObject) {
      // Then what it wrote elsewhere has to do.
    }
    String said = log.isBlank() ? out : log;
    return new CniException(
        new CniError(
            CniError.TRY_LATER,
            plugin + "exit code " + exitCode + " without an error object; run it by hand",
            said.strip()));
  }

  /// What a process writes, up to a limit; the rest is read and dropped, so that it never blocks.
  private static final class Stream {

    private final Thread thread;
    private final AtomicReference<String> text = new AtomicReference<>("");

    Stream(InputStream in, int limit) {
      thread =
          Thread.ofPlatform()
              .daemon()
              .name("cni-delegate-out")
              .start(
                  () -> {
                    try (in) {
                      text.set(new String(in.readNBytes(limit), StandardCharsets.UTF_8));
                      // Not by skip, which ends with what is buffered.
                      in.transferTo(OutputStream.nullOutputStream());
                    } catch (IOException gone) {
                      LOG.atDebug().setCause(gone).log("an IPAM plugin's output ended early");
                    }
                  });
    }

    /// Of a process that has ended. A child of its own may hold the pipe open.
    String text() {
      try {
        thread.join(OUTPUT_LIMIT);
      } catch (InterruptedException stopping) {
        Thread.currentThread().interrupt();
      }
      return text.get();
    }
  }
}
