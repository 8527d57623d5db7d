package io.margay.linux.nft;

import io.margay.linux.Errno;
import io.margay.linux.LibC;
import io.margay.linux.LinuxException;
import io.margay.linux.NativeBuffer;
import io.margay.model.net.IpFamily;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// Hears the traces of the namespace (NFNLGRP_NFTRACE). Packets are traced once a rule marks them,
/// anybody's rule; hearing costs nothing until then.
public final class NftTraceListener implements AutoCloseable {

  private static final int SOL_NETLINK = 270;
  private static final int NETLINK_ADD_MEMBERSHIP = 1;
  private static final int NFNLGRP_NFTRACE = 9;
  private static final int TRACE_MESSAGE = 17;

  private final int socket;
  private final NativeBuffer buffer = NativeBuffer.allocate(NftSocket.DATAGRAM_OCTETS);
  private boolean closed;

  private NftTraceListener(int socket) {
    this.socket = socket;
  }

  /// Listens in the calling thread's namespace.
  public static NftTraceListener open() throws NftException {
    try {
      int socket = NftSocket.descriptor();
      try {
        LibC.setsockopt(socket, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NFNLGRP_NFTRACE);
        return new NftTraceListener(socket);
      } catch (LinuxException failed) {
        LibC.close(socket);
        throw failed;
      }
    } catch (LinuxException failed) {
      throw new NftException(
          "cannot listen to traces: " + failed.getMessage() + "; needs CAP_NET_ADMIN",
          failed.errno().code(),
          failed);
    }
  }

  /// The steps that have come, after waiting for the first of them. Steps are lost when they come
  /// faster than they are taken.
  ///
  /// @return empty if none came in the time
  public List<NftTrace> take(Duration limit) throws NftException {
    List<NftTrace> steps = new ArrayList<>();
    try {
      if (LibC.pollReadable(Math.toIntExact(limit.toMillis()), socket) < 0) {
        return steps;
      }
      while (true) {
        int length = LibC.recv(socket, buffer, LibC.MSG_DONTWAIT | LibC.MSG_TRUNC);
        decode(buffer.bytes(), Math.min(length, buffer.size()), steps);
      }
    } catch (LinuxException failed) {
      if (failed.is(Errno.EAGAIN) || failed.is(Errno.ENOBUFS)) {
        return steps;
      }
      throw new NftException(
          "listening to traces: " + failed.getMessage(), failed.errno().code(), failed);
    }
  }

  private static void decode(ByteBuffer in, int end, List<NftTrace> steps) {
    int length;
    for (int at = 0; at + AttributeWriter.HEADER_OCTETS <= end; at += NftData.padded(length)) {
      length = in.getInt(at);
      if (length < AttributeWriter.HEADER_OCTETS || at + length > end) {
        return;
      }
      int type = Short.toUnsignedInt(in.getShort(at + 4));
      if (type == (NftBatch.SUBSYSTEM << 8 | TRACE_MESSAGE)) {
        int family = in.get(at + NftSocket.NLMSG_HEADER_OCTETS);
        steps.add(
            Decoder.decode(
                family, new AttributeReader(in, at + AttributeWriter.HEADER_OCTETS, at + length)));
      }
    }
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      LibC.close(socket);
    }
  }

  /// `enum nft_trace_attributes` of linux/netfilter/nf_tables.h.
  private static final class Decoder {
    private static final NftData NO_OCTETS = NftData.of(new byte[0]);
    private int id;
    private NftTrace.Kind kind = NftTrace.Kind.POLICY;
    private String table = "";
    private String chain = "";
    private long ruleHandle;
    private NftTrace.Verdict verdict = new NftTrace.Verdict(NftTrace.Code.CONTINUE, "");
    private int inInterface;
    private int outInterface;
    private NftData network = NO_OCTETS;
    private NftData transport = NO_OCTETS;

    static NftTrace decode(int family, AttributeReader in) {
      Decoder decoder = new Decoder();
      while (in.next()) {
        decoder.attribute(in);
      }
      byte[] packet = new byte[decoder.network.length() + decoder.transport.length()];
      System.arraycopy(decoder.network.raw(), 0, packet, 0, decoder.network.length());
      System.arraycopy(
          decoder.transport.raw(), 0, packet, decoder.network.length(), decoder.transport.length());
      return new NftTrace(
          decoder.id,
          decoder.kind,
          switch (family) {
            case 2 -> IpFamily.IPV4;
            case 10 -> IpFamily.IPV6;
            default -> null;
          },
          decoder.table,
          decoder.chain,
          decoder.ruleHandle,
          decoder.verdict,
          decoder.inInterface,
          decoder.outInterface,
          NftData.of(packet));
    }

    private void attribute(AttributeReader in) {
      switch (in.type()) {
        case 1 -> table = in.text();
        case 2 -> chain = in.text();
        case 3 -> ruleHandle = in.be64();
        case 4 ->
            kind =
                switch (in.be32()) {
                  case 2 -> NftTrace.Kind.RETURN;
                  case 3 -> NftTrace.Kind.RULE;
                  default -> NftTrace.Kind.POLICY;
                };
        case 5 -> verdict = verdict(in.nested());
        case 6 -> id = in.be32();
        case 8 -> network = in.data();
        case 9 -> transport = in.data();
        case 10 -> inInterface = in.be32();
        case 12 -> outInterface = in.be32();
        case 16 -> verdict = new NftTrace.Verdict(NftTrace.Code.of(in.be32()), "");
        default -> {}
      }
    }

    private static NftTrace.Verdict verdict(AttributeReader in) {
      int code = 0;
      String target = "";
      while (in.next()) {
        switch (in.type()) {
          case 1 -> code = in.be32();
          case 2 -> target = in.text();
          default -> {}
        }
      }
      return new NftTrace.Verdict(NftTrace.Code.of(code), target);
    }
  }
}
