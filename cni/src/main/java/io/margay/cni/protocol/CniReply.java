package io.margay.cni.protocol;

/// What the client prints and exits with.
///
/// @param exitCode 0 to 255; 0 means success
/// @param stdout the result or the error object, and nothing else
/// @param stderr for the runtime's log
public record CniReply(int exitCode, String stdout, String stderr) {

  public CniReply {
    if (exitCode < 0 || exitCode > 255) {
      throw new IllegalArgumentException("exit code " + exitCode + " is not in 0..255");
    }
  }

  public static CniReply success(String stdout) {
    return new CniReply(0, stdout, "");
  }

  public static CniReply failure(String stdout) {
    return new CniReply(1, stdout, "");
  }

  public CniReply withStderr(String text) {
    return new CniReply(exitCode, stdout, text);
  }
}
