package io.margay.agent.settings;

import io.margay.model.net.RouterId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/// The router id of a node that goes by its name: Calico's `CALICO_ROUTER_ID=hash`.
public final class HashedRouterId {

  /// The last first octet of an address that is not multicast or reserved.
  private static final int LAST_UNICAST = 223;

  private static final int STEP_BACK = 32;

  private HashedRouterId() {}

  /// The first four octets of the name's SHA-256, moved out of 224.0.0.0/3 as Calico does.
  public static RouterId of(String nodeName) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(nodeName.getBytes(StandardCharsets.UTF_8));
      if (Byte.toUnsignedInt(digest[0]) > LAST_UNICAST) {
        digest[0] = (byte) (digest[0] - STEP_BACK);
      }
      return new RouterId(ByteBuffer.wrap(digest).getInt());
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException("every Java has SHA-256", impossible);
    }
  }
}
