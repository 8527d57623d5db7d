package io.margay.cni;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Set;
import java.util.TreeSet;

/// Ends a process at a point of its work: before or after one of its acts on the world. It acts no
/// more from then on, as one that was killed.
final class Mortality {

  static final Mortality NONE = new Mortality(Integer.MAX_VALUE);

  /// The process is no more.
  static final class Died extends Error {

    private static final long serialVersionUID = 1L;

    Died(String where) {
      super(where);
    }
  }

  private final Set<String> acts = new TreeSet<>();
  private int left;
  private boolean isDead;

  /// @param point how many points are passed before the one it dies at
  Mortality(int point) {
    this.left = point;
  }

  synchronized void dieAt(int point) {
    this.left = point;
  }

  /// What was done so far, by name.
  synchronized Set<String> acts() {
    return Set.copyOf(acts);
  }

  private synchronized void pass(String where) {
    if (isDead || left-- == 0) {
      isDead = true;
      throw new Died(where);
    }
  }

  /// A port of the process, with a point before and one after each call.
  <T> T of(Class<T> type, T port) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (_, method, arguments) -> {
              pass("before " + method.getName());
              Object answer;
              try {
                answer = method.invoke(port, arguments);
              } catch (InvocationTargetException thrown) {
                throw thrown.getCause();
              }
              synchronized (this) {
                acts.add(method.getName());
              }
              pass("after " + method.getName());
              return answer;
            }));
  }
}
