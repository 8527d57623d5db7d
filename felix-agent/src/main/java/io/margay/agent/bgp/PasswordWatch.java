package io.margay.agent.bgp;

import io.margay.agent.bgp.Passwords.Answer;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.model.resource.SecretKeyRef;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps up with the passwords that BGP resources refer to: in the directory of mounted secrets if
/// there is one, and what is not there in the datastore under `/margay/v1/secrets/NAME/KEY`. They
/// are read one by one and by name: they are in no listing, watch or snapshot, and a node needs the
/// right to read its own ones only.
///
/// What was read once stays while the datastore can't be asked.
public final class PasswordWatch implements AutoCloseable {

  /// Where secrets are in the datastore.
  static final String PREFIX = "/margay/v1/secrets/";

  /// A changed password is in use by then.
  static final Duration INTERVAL = Duration.ofSeconds(2);

  /// Passwords one node follows; more are a mistake somewhere.
  static final int MAX_WATCHED = 1024;

  private static final Logger LOG = LoggerFactory.getLogger(PasswordWatch.class);

  private record Ref(String name, String key) {}

  private final Optional<Path> directory;
  private final Datastore datastore;
  private final Map<Ref, Answer> known = new ConcurrentHashMap<>();
  private final Set<Ref> asked = ConcurrentHashMap.newKeySet();
  private final ScheduledThreadPoolExecutor thread =
      new ScheduledThreadPoolExecutor(
          1, Thread.ofPlatform().daemon().name("bgp-passwords").factory());

  /// Of one reading: the datastore has failed to answer, so that it is not waited for again.
  private boolean storeIsAway;

  private volatile Runnable onChange = () -> {};

  /// @param directory of mounted secrets
  public PasswordWatch(Optional<Path> directory, Datastore datastore) {
    this.directory = directory;
    this.datastore = datastore;
  }

  /// Reads from now on.
  ///
  /// @param listener told, on a thread of this, when some answer is another
  public void start(Runnable listener) {
    onChange = listener;
    thread.scheduleWithFixedDelay(this::look, 0, INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
  }

  /// For working out a plan anew: what nobody asks for until the next such call is forgotten.
  public Passwords begin() {
    known.keySet().retainAll(asked);
    asked.clear();
    return this::find;
  }

  private Answer find(SecretKeyRef given) {
    Ref ref = new Ref(given.name(), given.key());
    if (!SecretFiles.isPart(ref.name()) || !SecretFiles.isPart(ref.key())) {
      return new Answer.Missing("a name or key has letters, digits, '-', '_' and '.' only");
    }
    if (asked.size() >= MAX_WATCHED && !asked.contains(ref)) {
      return new Answer.Missing("more than " + MAX_WATCHED + " passwords are referred to");
    }
    asked.add(ref);
    Answer answer = known.putIfAbsent(ref, new Answer.Pending());
    if (answer != null) {
      return answer;
    }
    if (!thread.isShutdown()) {
      thread.execute(this::look);
    }
    return new Answer.Pending();
  }

  /// Reads what is asked for, all of it.
  synchronized void look() {
    try {
      boolean changed = false;
      storeIsAway = false;
      for (Ref ref : known.keySet()) {
        changed |= learn(ref, read(ref));
      }
      if (changed) {
        onChange.run();
      }
    } catch (RuntimeException bug) {
      LOG.atError().setCause(bug).log("passwords can't be read; tried again");
    }
  }

  /// @return whether it is news
  private boolean learn(Ref ref, Answer answer) {
    Answer before = known.get(ref);
    if (before == null || before.equals(answer)) {
      return false;
    }
    known.put(ref, answer);
    if (before instanceof Answer.Found && answer instanceof Answer.Found) {
      LOG.atInfo()
          .addKeyValue("secret", ref.name())
          .addKeyValue("key", ref.key())
          .log("a BGP password has changed");
    }
    return true;
  }

  private Answer read(Ref ref) {
    return directory
        .flatMap(mounted -> SecretFiles.read(mounted, ref.name(), ref.key()))
        .orElseGet(() -> stored(ref));
  }

  private Answer stored(Ref ref) {
    String key = PREFIX + ref.name() + "/" + ref.key();
    if (storeIsAway) {
      return keptWhileAway(ref, key);
    }
    try {
      return datastore
          .get(key)
          .map(KeyValue::value)
          .map(text -> SecretFiles.password("etcd key " + key, text))
          .orElseGet(
              () ->
                  new Answer.Missing(
                      directory
                              .map(
                                  at ->
                                      "there is neither "
                                          + at.resolve(ref.name()).resolve(ref.key()))
                              .orElse("bgp.passwordDir is not set, and there is no")
                          + directory.map(_ -> " nor").orElse("")
                          + " etcd key "
                          + key));
    } catch (DatastoreException failure) {
      if (failure.kind() == DatastoreException.Kind.UNAUTHORISED) {
        return new Answer.Missing(
            "the datastore does not let this node read "
                + key
                + "; grant its role that key, or mount the secret");
      }
      storeIsAway = true;
      return keptWhileAway(ref, key);
    }
  }

  private Answer keptWhileAway(Ref ref, String key) {
    return known.get(ref) instanceof Answer.Found before
        ? before
        : new Answer.Missing(key + " can't be read while the datastore is away");
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
