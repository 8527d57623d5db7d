package io.margay.cni.wiring;

import io.margay.linux.LinuxException;
import io.margay.linux.netlink.MessageBuilder;
import io.margay.linux.netlink.NetlinkSocket;

/// Takes queueing disciplines from links that stay (`linux/pkt_sched.h`).
final class Qdiscs implements AutoCloseable {

  private static final int DELETE_QDISC = 37;
  private static final int AT_ROOT = 0xffff_ffff; // TC_H_ROOT
  private static final int AT_INGRESS = 0xffff_fff1; // TC_H_INGRESS
  private static final int INGRESS_HANDLE = 0xffff_0000;

  private final NetlinkSocket socket;

  private Qdiscs(NetlinkSocket socket) {
    this.socket = socket;
  }

  /// For the calling thread's namespace.
  static Qdiscs open() throws LinuxException {
    return new Qdiscs(NetlinkSocket.open(NetlinkSocket.ROUTE));
  }

  /// What the link sends goes the usual way again.
  void deleteRoot(int index) throws LinuxException {
    delete(index, 0, AT_ROOT);
  }

  /// What the link receives goes nowhere else any more.
  void deleteIngress(int index) throws LinuxException {
    delete(index, INGRESS_HANDLE, AT_INGRESS);
  }

  /// `struct tcmsg`: family, padding, device, handle, parent, and what filters alone have.
  private void delete(int index, int handle, int parent) throws LinuxException {
    socket.request(
        new MessageBuilder(DELETE_QDISC, 0, "delete a qdisc of link", index)
            .u8(0)
            .u8(0)
            .u16(0)
            .u32(index)
            .u32(handle)
            .u32(parent)
            .u32(0)
            .build());
  }

  @Override
  public void close() {
    socket.close();
  }
}
