package io.margay.cni;

import io.margay.cni.journal.Workload;
import io.margay.cni.spec.AttachmentId;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.MacAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.regex.Pattern;

/// Names and MAC addresses that follow from who the attachment is, so that a repeated ADD makes the
/// same ones.
final class HostEnd {

  /// The interface every runtime calls the first; others have their name hashed in.
  private static final String FIRST_INTERFACE = "eth0";

  /// Eleven characters, so that prefixes of four fit IFNAMSIZ.
  private static final int DIGITS = 11;

  /// Ids that a runtime drew at random: their first characters tell them apart. Others
  /// (`default-box1`) may share them.
  private static final Pattern RANDOM_ID =
      Pattern.compile("[0-9a-f]{32,}|[0-9a-f]{8}-[0-9a-f]{4}-.*");

  private HostEnd() {}

  /// The host end's name by Calico's rule: the prefix, then 11 hex digits of SHA-1 of
  /// `<namespace>.<pod>`; without Kubernetes, 11 characters of the container's id, or of that of
  /// Docker's endpoint. What Calico has no name for is told apart by slashes, which no name of a
  /// pod, a container or an interface has.
  ///
  /// @param prefix FelixConfiguration's `interfacePrefix`, `cali` by default
  static InterfaceName name(String prefix, Workload workload, AttachmentId id) {
    boolean first = id.ifName().value().equals(FIRST_INTERFACE);
    if (first
        && workload instanceof Workload.Container container
        && RANDOM_ID.matcher(container.name()).matches()) {
      return new InterfaceName(prefix + container.name().substring(0, DIGITS));
    }
    if (workload instanceof Workload.Endpoint endpoint
        && RANDOM_ID.matcher(endpoint.id()).matches()) {
      return new InterfaceName(prefix + endpoint.id().substring(0, DIGITS));
    }
    String identity =
        switch (workload) {
          case Workload.Pod pod -> pod.namespace() + "." + pod.name();
          case Workload.Container container -> container.orchestrator() + "/" + container.name();
          case Workload.Endpoint endpoint -> endpoint.orchestrator() + "/" + endpoint.id();
        };
    byte[] digest = digest("SHA-1", first ? identity : identity + "/" + id.ifName());
    return new InterfaceName(prefix + HexFormat.of().formatHex(digest).substring(0, DIGITS));
  }

  /// A locally administered unicast address for the pod's end.
  static MacAddress podMac(AttachmentId id) {
    byte[] octets = Arrays.copyOf(digest("SHA-256", id.toString()), 6);
    octets[0] = 0x02;
    return MacAddress.of(octets);
  }

  private static byte[] digest(String algorithm, String text) {
    try {
      return MessageDigest.getInstance(algorithm).digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException("every Java platform has " + algorithm, impossible);
    }
  }
}
