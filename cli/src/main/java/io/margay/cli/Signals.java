package io.margay.cli;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandleProxies;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/// Signals as events. The JVM's own answer to SIGTERM ends the process with 143 and to SIGHUP as
/// well, so the only way to an answer of ours is `sun.misc.Signal` (module jdk.unsupported), which
/// javac lets nobody name without a warning: hence by reflection.
public final class Signals {

  private Signals() {}

  /// Calls `received` on a thread of the JVM whenever the process gets the signal.
  ///
  /// @param name without SIG: HUP, TERM, INT
  public static void on(String name, Runnable received) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handlerType = Class.forName("sun.misc.SignalHandler");
      MethodHandle call =
          MethodHandles.dropArguments(
              MethodHandles.publicLookup()
                  .findVirtual(Runnable.class, "run", MethodType.methodType(void.class))
                  .bindTo(received),
              0,
              signal);
      Object handler = MethodHandleProxies.asInterfaceInstance(handlerType, call);
      signal
          .getMethod("handle", signal, handlerType)
          .invoke(null, signal.getConstructor(String.class).newInstance(name), handler);
    } catch (ReflectiveOperationException absent) {
      throw new IllegalStateException("this JVM lets nobody handle SIG" + name, absent);
    }
  }
}
