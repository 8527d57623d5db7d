package io.margay.ipam;

import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Listing;
import io.margay.datastore.Txn;
import io.margay.datastore.Watch;
import io.margay.datastore.WatchListener;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/// Several writers on one store, one datastore call at a time, in an order drawn from a seed. A
/// writer may be told to die before a call, or after the store did it and before it hears so.
final class Stepper {

  private final Datastore store;
  private final Random random;
  private final List<Actor> actors = new ArrayList<>();

  Stepper(Datastore store, long seed) {
    this.store = store;
    this.random = new Random(seed);
  }

  /// What a writer does with its view of the store.
  interface Script {
    void run(Datastore view) throws Exception;
  }

  /// Adds a writer.
  ///
  /// @param diesAt the call at which it dies, counted from 0; -1 for never
  /// @param afterwards whether the store does that call
  Actor add(String name, int diesAt, boolean afterwards, Script script) {
    Actor actor = new Actor(name, diesAt, afterwards);
    actor.thread = Thread.ofVirtual().name(name).unstarted(() -> actor.live(script));
    actors.add(actor);
    return actor;
  }

  /// Lets all writers run to their ends.
  void run() throws InterruptedException {
    for (Actor actor : actors) {
      actor.thread.start();
      actor.awaitRest();
    }
    while (true) {
      List<Actor> ready = actors.stream().filter(actor -> actor.state == State.AT_STEP).toList();
      if (ready.isEmpty()) {
        return;
      }
      Actor next = ready.get(random.nextInt(ready.size()));
      next.grant();
      next.awaitRest();
    }
  }

  private enum State {
    RUNNING,
    AT_STEP,
    ENDED
  }

  /// One writer and its view of the store.
  final class Actor implements Datastore {
    private final String name;
    private final int diesAt;
    private final boolean afterwards;
    private Thread thread = Thread.currentThread();
    private State state = State.RUNNING;
    private int calls;
    private boolean dead;
    private @Nullable Throwable failure;

    private Actor(String name, int diesAt, boolean afterwards) {
      this.name = name;
      this.diesAt = diesAt;
      this.afterwards = afterwards;
    }

    private void live(Script script) {
      try {
        script.run(this);
      } catch (Throwable thrown) {
        if (!dead) {
          failure = thrown;
        }
      } finally {
        enter(State.ENDED);
      }
    }

    /// What ended it other than death and its script's end.
    Optional<Throwable> failure() {
      return Optional.ofNullable(failure);
    }

    boolean isDead() {
      return dead;
    }

    /// How many calls it made.
    int calls() {
      return calls;
    }

    private synchronized void enter(State next) {
      state = next;
      notifyAll();
    }

    private synchronized void awaitRest() throws InterruptedException {
      while (state == State.RUNNING) {
        wait();
      }
    }

    private synchronized void grant() {
      state = State.RUNNING;
      notifyAll();
    }

    private interface Call<R> {
      R run() throws DatastoreException;
    }

    private <R> R step(Call<R> call) throws DatastoreException {
      if (!dead) {
        synchronized (this) {
          state = State.AT_STEP;
          notifyAll();
          while (state != State.RUNNING) {
            try {
              wait();
            } catch (InterruptedException stop) {
              Thread.currentThread().interrupt();
              throw death();
            }
          }
        }
        if (calls++ == diesAt) {
          dead = true;
          if (afterwards) {
            call.run();
          }
        }
      }
      if (dead) {
        throw death();
      }
      return call.run();
    }

    private DatastoreException death() {
      return new DatastoreException(
          DatastoreException.Kind.UNREACHABLE, "stepper", name + " is dead");
    }

    @Override
    public Optional<KeyValue> get(String key) throws DatastoreException {
      return step(() -> store.get(key));
    }

    @Override
    public Listing getAll(List<String> keys) throws DatastoreException {
      return step(() -> store.getAll(keys));
    }

    @Override
    public Listing list(String prefix) throws DatastoreException {
      return step(() -> store.list(prefix));
    }

    @Override
    public CommitResult commit(Txn txn) throws DatastoreException {
      return step(() -> store.commit(txn));
    }

    @Override
    public Watch watch(String prefix, long fromRevision, WatchListener listener) {
      return store.watch(prefix, fromRevision, listener);
    }

    @Override
    public void close() {}
  }
}
