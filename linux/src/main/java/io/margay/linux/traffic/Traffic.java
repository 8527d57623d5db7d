package io.margay.linux.traffic;

import io.margay.linux.LinuxException;
import io.margay.linux.netlink.Attribute;
import io.margay.linux.netlink.Attributes;
import io.margay.linux.netlink.MessageBuilder;
import io.margay.linux.netlink.NetlinkMessage;
import io.margay.linux.netlink.NetlinkSocket;
import java.util.Optional;
import java.util.OptionalInt;

/// Traffic control of one network namespace: qdiscs and filters of `linux/pkt_sched.h` and
/// `linux/pkt_cls.h`. A device's own go with it.
///
/// A device can shape only what it sends. What it receives is shaped by another one (an `ifb`),
/// which it hands its packets to before anybody else sees them, and which gives them back at its
/// own pace.
public final class Traffic implements AutoCloseable {

  private static final int NEW_QDISC = 36;
  private static final int DELETE_QDISC = 37;
  private static final int GET_QDISC = 38;
  private static final int NEW_FILTER = 44;
  private static final int GET_FILTER = 46;
  private static final int TCMSG_OCTETS = 20;
  private static final int TCMSG_INDEX_AT = 4;
  private static final int TCMSG_PARENT_AT = 12;

  private static final int KIND = 1;
  private static final int OPTIONS = 2;
  private static final int AT_ROOT = 0xffff_ffff; // TC_H_ROOT
  private static final int AT_INGRESS = 0xffff_fff1; // TC_H_INGRESS
  private static final int SHAPER_HANDLE = 1 << 16;
  private static final int INGRESS_HANDLE = 0xffff_0000;

  private static final int TBF_PARMS = 1;
  private static final int TBF_RATE64 = 4;
  private static final int TBF_BURST = 6;
  private static final int TBF_RATE_AT = 8; // in struct tc_tbf_qopt
  private static final int TBF_LIMIT_AT = 24;
  private static final int ETHERNET = 1; // TC_LINKLAYER_ETHERNET

  private static final int U32_SELECTOR = 5;
  private static final int U32_ACTIONS = 7;
  private static final int U32_TERMINAL = 1;
  private static final int ACTION_KIND = 1;
  private static final int ACTION_OPTIONS = 2;
  private static final int MIRRED_PARMS = 2;
  private static final int MIRRED_INDEX_AT = 24; // in struct tc_mirred
  private static final int STOLEN = 4; // TC_ACT_STOLEN: what was handed on goes no other way
  private static final int EGRESS_REDIRECT = 1;

  /// Priority 1, and every protocol (ETH_P_ALL, big-endian in the lower half).
  private static final int FIRST_OF_ALL_PROTOCOLS = 1 << 16 | 0x0300;

  private final NetlinkSocket socket;

  private Traffic(NetlinkSocket socket) {
    this.socket = socket;
  }

  /// For the calling thread's namespace.
  public static Traffic open() throws LinuxException {
    return new Traffic(NetlinkSocket.open(NetlinkSocket.ROUTE));
  }

  /// For the namespace behind a descriptor, which may be closed afterwards.
  public static Traffic inNetns(int netnsFd) throws LinuxException {
    return new Traffic(NetlinkSocket.openIn(netnsFd, NetlinkSocket.ROUTE));
  }

  /// What the device sends, it sends by the bucket from now on.
  public void shape(int index, TokenBucket bucket) throws LinuxException {
    MessageBuilder message =
        new MessageBuilder(
            NEW_QDISC, NetlinkMessage.CREATE | NetlinkMessage.REPLACE, "shape link", index);
    header(message, index, SHAPER_HANDLE, AT_ROOT, 0)
        .attrString(KIND, "tbf")
        .nest(OPTIONS, options -> tokenBucket(options, bucket));
    socket.request(message.build());
  }

  private static void tokenBucket(MessageBuilder options, TokenBucket bucket) {
    options.container(
        TBF_PARMS,
        parms -> {
          rateSpec(parms, ETHERNET, (int) bucket.rateU32());
          rateSpec(parms, 0, 0); // no peak rate
          parms.u32((int) bucket.limit()).u32((int) bucket.burstTicks()).u32(0);
        });
    if (bucket.isWide()) {
      options.attrU64(TBF_RATE64, bucket.rate());
    }
    // Exact, where the ticks above would overflow or be rounded.
    options.attrU32(TBF_BURST, (int) bucket.burst());
  }

  /// `struct tc_ratespec`: cell log, link layer, overhead, alignment, least packet, rate.
  private static void rateSpec(MessageBuilder message, int linkLayer, int rate) {
    message.u8(0).u8(linkLayer).u16(0).u16(0).u16(0).u32(rate);
  }

  /// Whatever the device receives, the other one sends first.
  public void redirect(int index, int through) throws LinuxException {
    MessageBuilder qdisc =
        new MessageBuilder(
            NEW_QDISC,
            NetlinkMessage.CREATE | NetlinkMessage.EXCL,
            "add an ingress qdisc to link",
            index);
    socket.request(
        header(qdisc, index, INGRESS_HANDLE, AT_INGRESS, 0).attrString(KIND, "ingress").build());
    MessageBuilder filter =
        new MessageBuilder(
            NEW_FILTER,
            NetlinkMessage.CREATE | NetlinkMessage.EXCL,
            "redirect link",
            index + " through " + through);
    header(filter, index, 0, INGRESS_HANDLE, FIRST_OF_ALL_PROTOCOLS)
        .attrString(KIND, "u32")
        .nest(
            OPTIONS,
            options -> {
              options.container(U32_SELECTOR, Traffic::anything);
              options.nest(U32_ACTIONS, actions -> actions.nest(1, mirror -> to(mirror, through)));
            });
    socket.request(filter.build());
  }

  /// `struct tc_u32_sel` of one key that masks everything out.
  private static void anything(MessageBuilder selector) {
    selector.u8(U32_TERMINAL).u8(0).u8(1).u8(0).u32(0).u32(0).u32(0);
    selector.u32(0).u32(0).u32(0).u32(0);
  }

  /// `struct tc_mirred`: index, capabilities, action, two counts, what to do, device.
  private static void to(MessageBuilder action, int index) {
    action
        .attrString(ACTION_KIND, "mirred")
        .nest(
            ACTION_OPTIONS,
            options ->
                options.container(
                    MIRRED_PARMS,
                    parms ->
                        parms
                            .u32(0)
                            .u32(0)
                            .u32(STOLEN)
                            .u32(0)
                            .u32(0)
                            .u32(EGRESS_REDIRECT)
                            .u32(index)));
  }

  /// What the device sends goes the usual way again. The shaping must be there.
  public void endShaping(int index) throws LinuxException {
    delete(index, 0, AT_ROOT);
  }

  /// What the device receives goes nowhere else any more. The redirection must be there.
  public void endRedirection(int index) throws LinuxException {
    delete(index, INGRESS_HANDLE, AT_INGRESS);
  }

  private void delete(int index, int handle, int parent) throws LinuxException {
    MessageBuilder message = new MessageBuilder(DELETE_QDISC, 0, "delete a qdisc of link", index);
    socket.request(header(message, index, handle, parent, 0).build());
  }

  /// How the device's sending is shaped; empty if it is not.
  public Optional<Shaping> shaping(int index) throws LinuxException {
    MessageBuilder question = new MessageBuilder(GET_QDISC, 0, "list qdiscs of link", index);
    for (NetlinkMessage message : socket.dump(header(question, index, 0, 0, 0).build())) {
      if (message.u32(TCMSG_INDEX_AT) == index && message.u32(TCMSG_PARENT_AT) == AT_ROOT) {
        Attributes attributes = message.attributes(TCMSG_OCTETS);
        Optional<Attribute> options = attributes.find(OPTIONS);
        if (attributes.string(KIND, "").equals("tbf") && options.isPresent()) {
          return shaping(options.get().nested());
        }
      }
    }
    return Optional.empty();
  }

  private static Optional<Shaping> shaping(Attributes options) throws LinuxException {
    Optional<Attribute> parms = options.find(TBF_PARMS);
    if (parms.isEmpty()) {
      return Optional.empty();
    }
    Optional<Attribute> wide = options.find(TBF_RATE64);
    long rate =
        wide.isPresent() ? wide.get().u64() : Integer.toUnsignedLong(parms.get().u32(TBF_RATE_AT));
    return Optional.of(new Shaping(rate, Integer.toUnsignedLong(parms.get().u32(TBF_LIMIT_AT))));
  }

  /// The device through which goes what this one receives; empty if that goes nowhere else.
  public OptionalInt redirection(int index) throws LinuxException {
    MessageBuilder question = new MessageBuilder(GET_FILTER, 0, "list filters of link", index);
    for (NetlinkMessage message :
        socket.dump(header(question, index, 0, INGRESS_HANDLE, 0).build())) {
      Optional<Attribute> part = message.attributes(TCMSG_OCTETS).find(OPTIONS);
      for (int inner : new int[] {U32_ACTIONS, 1, ACTION_OPTIONS, MIRRED_PARMS}) {
        part = part.isEmpty() ? part : part.get().nested().find(inner);
      }
      if (part.isPresent() && message.u32(TCMSG_INDEX_AT) == index) {
        return OptionalInt.of(part.get().u32(MIRRED_INDEX_AT));
      }
    }
    return OptionalInt.empty();
  }

  /// `struct tcmsg`: family, padding, device, handle, parent, and what filters alone have.
  private static MessageBuilder header(
      MessageBuilder message, int index, int handle, int parent, int info) {
    return message.u8(0).u8(0).u16(0).u32(index).u32(handle).u32(parent).u32(info);
  }

  @Override
  public void close() {
    socket.close();
  }
}
