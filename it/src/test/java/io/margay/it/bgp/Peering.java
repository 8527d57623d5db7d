package io.margay.it.bgp;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// One session as the other daemon is to configure it. What is not said stays at the daemon's own
/// default, but for timers that a test can wait for: hold time 9 s, retries in a second or two.
final class Peering {

  static final long OUR_ASN = 65001;

  final String local;
  final String remote;
  long remoteAsn = OUR_ASN;
  List<String> families = List.of("ipv4", "ipv6");
  int holdTimeSeconds = 9;
  @Nullable String password;
  boolean ttlSecurity;
  boolean multihop;
  boolean passive;
  int remotePort = 179;
  boolean twoOctetAsn;
  int maxPrefix;
  boolean addPathSend;
  boolean addPathReceive;
  boolean reflectorClient;
  boolean extendedNextHop;
  boolean gracefulRestart;
  boolean bfd;
  boolean extendedOptionalParameters;

  private Peering(String local, String remote) {
    this.local = local;
    this.remote = remote;
  }

  /// Over IPv4, on link `number`, with our node.
  static Peering ipv4(int number) {
    return new Peering(Lab.theirs(number), Lab.ours(number));
  }

  static Peering ipv6(int number) {
    return new Peering(Lab.theirs6(number), Lab.ours6(number));
  }

  static Peering linkLocal() {
    return new Peering("fe80::2", "fe80::1");
  }

  static Peering between(String local, String remote, long remoteAsn) {
    Peering peering = new Peering(local, remote);
    peering.remoteAsn = remoteAsn;
    return peering;
  }

  Peering families(String... wanted) {
    families = List.of(wanted);
    return this;
  }

  Peering remoteAsn(long asn) {
    remoteAsn = asn;
    return this;
  }

  Peering holdTimeSeconds(int seconds) {
    holdTimeSeconds = seconds;
    return this;
  }

  Peering password(String key) {
    password = key;
    return this;
  }

  Peering ttlSecurity() {
    ttlSecurity = true;
    return this;
  }

  Peering multihop() {
    multihop = true;
    return this;
  }

  Peering passive() {
    passive = true;
    return this;
  }

  Peering remotePort(int port) {
    remotePort = port;
    return this;
  }

  Peering twoOctetAsn() {
    twoOctetAsn = true;
    return this;
  }

  Peering maxPrefix(int limit) {
    maxPrefix = limit;
    return this;
  }

  Peering addPathSend() {
    addPathSend = true;
    return this;
  }

  Peering addPathReceive() {
    addPathReceive = true;
    return this;
  }

  Peering reflectorClient() {
    reflectorClient = true;
    return this;
  }

  Peering extendedNextHop() {
    extendedNextHop = true;
    return this;
  }

  Peering gracefulRestart() {
    gracefulRestart = true;
    return this;
  }

  Peering bfd() {
    bfd = true;
    return this;
  }

  Peering extendedOptionalParameters() {
    extendedOptionalParameters = true;
    return this;
  }

  boolean isLinkLocal() {
    return remote.startsWith("fe80:");
  }

  boolean isIpv6() {
    return remote.contains(":");
  }
}
