package io.margay.agent.firewall;

import io.margay.linux.netlink.MessageBuilder;
import io.margay.linux.netlink.NetlinkMessage;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;

/// A tracked connection made by hand, of a protocol with ports, untranslated.
record TrackedFlow(int protocol, String source, int sourcePort, String answerer, int port) {

  private static final int CREATE = 1 << 8;
  private static final int TIMEOUT_SECONDS = 600;

  // linux/netfilter/nfnetlink_conntrack.h
  private static final int ORIGINAL = 1;
  private static final int REPLY = 2;
  private static final int CTA_STATUS = 3;
  private static final int IPS_SEEN_REPLY = 1 << 1;
  private static final int IPS_ASSURED = 1 << 2;
  private static final int IPS_CONFIRMED = 1 << 3;
  private static final int CTA_TIMEOUT = 7;
  private static final int CTA_PROTOINFO = 4;
  private static final int CTA_PROTOINFO_TCP = 1;
  private static final int CTA_PROTOINFO_TCP_STATE = 1;
  private static final int CTA_PROTOINFO_TCP_FLAGS_ORIGINAL = 4;
  private static final int CTA_PROTOINFO_TCP_FLAGS_REPLY = 5;
  private static final int SYN_SENT = 1;
  private static final int ESTABLISHED = 3;

  /// Flags and their mask: IP_CT_TCP_FLAG_BE_LIBERAL.
  private static final byte[] LIBERAL = {8, 8};

  /// What has the kernel track it.
  NetlinkMessage creation() {
    return message().build();
  }

  /// What has the kernel track it as one of which it saw the SYN.
  NetlinkMessage begun() {
    return inState(message(), SYN_SENT);
  }

  /// What has the kernel track it as one of which it saw the handshake.
  NetlinkMessage established() {
    return inState(
        message().attrBe32(CTA_STATUS, IPS_SEEN_REPLY | IPS_ASSURED | IPS_CONFIRMED), ESTABLISHED);
  }

  private static NetlinkMessage inState(MessageBuilder message, int state) {
    return message
        .nest(
            CTA_PROTOINFO,
            info -> info.nest(CTA_PROTOINFO_TCP, tcp -> tcp.attrU8(CTA_PROTOINFO_TCP_STATE, state)))
        .build();
  }

  /// What has the kernel track it as one it saw in its middle first.
  NetlinkMessage pickedUp() {
    return message()
        .nest(
            CTA_PROTOINFO,
            info ->
                info.nest(
                    CTA_PROTOINFO_TCP,
                    tcp ->
                        tcp.attrU8(CTA_PROTOINFO_TCP_STATE, ESTABLISHED)
                            .attr(CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, LIBERAL)
                            .attr(CTA_PROTOINFO_TCP_FLAGS_REPLY, LIBERAL)))
        .build();
  }

  private MessageBuilder message() {
    IpAddress from = IpAddress.parse(source);
    IpAddress to = IpAddress.parse(answerer);
    MessageBuilder message =
        new MessageBuilder(CREATE, NetlinkMessage.CREATE, "add flow", toString())
            .u8(from.family() == IpFamily.IPV4 ? 2 : 10)
            .u8(0)
            .be16(0);
    tuple(message, ORIGINAL, from, sourcePort, to, port);
    tuple(message, REPLY, to, port, from, sourcePort);
    return message.attrBe32(CTA_TIMEOUT, TIMEOUT_SECONDS);
  }

  private void tuple(
      MessageBuilder message, int type, IpAddress from, int fromPort, IpAddress to, int toPort) {
    int first = from.family() == IpFamily.IPV4 ? 1 : 3;
    message.nest(
        type,
        tuple ->
            tuple
                .nest(1, ip -> ip.attr(first, from.toBytes()).attr(first + 1, to.toBytes()))
                .nest(
                    2, ends -> ends.attrU8(1, protocol).attrBe16(2, fromPort).attrBe16(3, toPort)));
  }
}
