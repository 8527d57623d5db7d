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
  private static final int CTA_TIMEOUT = 7;

  /// What has the kernel track it.
  NetlinkMessage creation() {
    IpAddress from = IpAddress.parse(source);
    IpAddress to = IpAddress.parse(answerer);
    MessageBuilder message =
        new MessageBuilder(CREATE, NetlinkMessage.CREATE, "add flow", toString())
            .u8(from.family() == IpFamily.IPV4 ? 2 : 10)
            .u8(0)
            .be16(0);
    tuple(message, ORIGINAL, from, sourcePort, to, port);
    tuple(message, REPLY, to, port, from, sourcePort);
    return message.attrBe32(CTA_TIMEOUT, TIMEOUT_SECONDS).build();
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
