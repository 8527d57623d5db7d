package io.margay.cni.spec;

import java.util.regex.Pattern;

/// The error object of a CNI answer.
///
/// @param code one of the constants: below 100 the specification's, from 100 on our own
/// @param msg the cause in one line, on which object, and the next step
/// @param details what helps an operator and is too long for `msg`; empty when there is nothing
public record CniError(int code, String msg, String details) {

  private static final Pattern NOT_FOUND = Pattern.compile("(?i)not found");

  private static final Pattern NO_SUCH_FILE = Pattern.compile("(?i)no such file or directory");

  public static final int INCOMPATIBLE_VERSION = 1;

  /// A key we refuse; the message holds key and value.
  public static final int UNSUPPORTED_FIELD = 2;

  public static final int UNKNOWN_CONTAINER = 3;
  public static final int BAD_ENVIRONMENT = 4;
  public static final int IO_FAILURE = 5;
  public static final int BAD_JSON = 6;
  public static final int BAD_CONFIG = 7;

  /// The pod's namespace is not one, or is the plugin's own (libcni's code).
  public static final int BAD_NETNS = 8;

  public static final int TRY_LATER = 11;

  /// STATUS: an ADD would fail now.
  public static final int NOT_READY = 50;

  /// STATUS: an ADD would fail now, and pods that exist may have lost connectivity.
  public static final int NOT_READY_AND_DEGRADED = 51;

  /// A bug of ours, or a check that found the pod not as it was left.
  public static final int INTERNAL = 100;

  public static final int POOL_EXHAUSTED = 101;
  public static final int ADDRESS_UNAVAILABLE = 102;
  public static final int DATASTORE_UNREACHABLE = 104;
  public static final int POLICY_NOT_PROGRAMMED = 105;

  /// A netlink operation failed; `details` name operation and errno.
  public static final int KERNEL_REFUSED = 106;

  public static final int INTERFACE_NOT_OURS = 107;

  /// The plugin was run in another network namespace than the agent's.
  public static final int FOREIGN_CALLER = 108;

  /// CHECK found the pod not as ADD left it.
  public static final int CHECK_FAILED = 109;

  /// A port of the node that the pod asks for leads to another pod.
  public static final int HOST_PORT_TAKEN = 110;

  public CniError {
    if (code < 1 || msg.isBlank()) {
      throw new IllegalArgumentException(
          "a CNI error needs a code from 1 on and a message, not " + code + " \"" + msg + "\"");
    }
  }

  public CniError(int code, String msg) {
    this(code, msg, "");
  }

  /// The same with another remark in front of the details.
  public CniError withDetail(String remark) {
    return new CniError(code, msg, details.isEmpty() ? remark : details + "; " + remark);
  }

  /// The same in words that no runtime takes for success: go-cni swallows an error of DEL whose
  /// text says that something was not found, and one of a missing file when there is no namespace.
  public CniError forDel() {
    return new CniError(code, reworded(msg), reworded(details));
  }

  private static String reworded(String text) {
    return NO_SUCH_FILE.matcher(NOT_FOUND.matcher(text).replaceAll("missing")).replaceAll("ENOENT");
  }
}
