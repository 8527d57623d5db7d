package io.margay.linux.nft;

import io.margay.linux.Errno;
import io.margay.linux.LibC;
import io.margay.linux.LinuxException;
import io.margay.linux.NativeBuffer;
import io.margay.linux.netlink.NoticeFilter;
import java.nio.ByteBuffer;
import java.util.OptionalInt;
import java.util.Set;

/// The namespace's nf_tables notifications (NFNLGRP_NFTABLES), heard on a thread of its own.
///
/// The kernel sends one message for each object a transaction changes and then, with the new
/// generation, who wrote it. What our own socket commits is left out by a filter in the kernel, so
/// a load of a hundred thousand elements neither fills the buffer nor wakes anybody.
final class KernelNftWatch implements NftWatch {

  private static final int SOL_NETLINK = 270;
  private static final int NETLINK_ADD_MEMBERSHIP = 1;
  private static final int NFNLGRP_NFTABLES = 7;
  private static final int GENERATION_ID = 1;
  private static final int GENERATION_PROCESS = 2;
  private static final int GENERATION_NAME = 3;

  private final int socket;
  private final int wake;
  private final Set<NftTableName> tables;
  private final NftNotices notices;
  private final Thread reader;

  /// Whether the transaction being heard has written our tables.
  private boolean touched;

  private volatile boolean closing;

  private KernelNftWatch(int socket, int wake, Set<NftTableName> tables, Runnable alarm) {
    this.socket = socket;
    this.wake = wake;
    this.tables = Set.copyOf(tables);
    this.notices = new NftNotices(alarm);
    this.reader = Thread.ofPlatform().name("nft-watch").daemon().unstarted(this::read);
  }

  /// Listens in the calling thread's namespace.
  ///
  /// @param ownPort the netlink port of the socket whose writes are not news
  static KernelNftWatch open(int ownPort, Set<NftTableName> tables, Runnable alarm)
      throws LinuxException {
    int socket = NftSocket.descriptor();
    try {
      LibC.attachFilter(socket, NoticeFilter.exceptFrom(ownPort, NoticeFilter.keep()));
      LibC.setsockopt(socket, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NFNLGRP_NFTABLES);
      KernelNftWatch watch = new KernelNftWatch(socket, LibC.eventfd(), tables, alarm);
      watch.reader.start();
      return watch;
    } catch (LinuxException failed) {
      LibC.close(socket);
      throw failed;
    }
  }

  private void read() {
    NativeBuffer buffer = NativeBuffer.allocate(NftSocket.DATAGRAM_OCTETS);
    try {
      while (LibC.pollReadable(-1, wake, socket) != 0) {
        receive(buffer);
      }
    } catch (LinuxException deaf) {
      // Nothing is counted harmless any more, so each foreign generation leads to a full reading.
      suspicious("");
    }
  }

  /// Takes all that is there.
  private void receive(NativeBuffer buffer) throws LinuxException {
    boolean lost = false;
    while (!closing) {
      try {
        OptionalInt length = LibC.receiveNow(socket, buffer, LibC.MSG_TRUNC);
        if (length.isEmpty()) {
          break;
        }
        if (length.getAsInt() > buffer.size()) {
          suspicious("");
        } else {
          messages(buffer.bytes(), length.getAsInt());
        }
      } catch (LinuxException failed) {
        if (!failed.is(Errno.ENOBUFS)) {
          throw failed;
        }
        lost = true;
        suspicious("");
      }
    }
    if (lost) {
      // Until its buffer was empty, the kernel went on dropping without another word.
      suspicious("");
    }
  }

  private void messages(ByteBuffer in, int end) {
    int length;
    for (int at = 0; at + AttributeWriter.HEADER_OCTETS <= end; at += NftData.padded(length)) {
      length = in.getInt(at);
      if (length < AttributeWriter.HEADER_OCTETS || at + length > end) {
        suspicious("");
        return;
      }
      int type = Short.toUnsignedInt(in.getShort(at + 4));
      if (type >>> 8 == NftBatch.SUBSYSTEM) {
        int family = in.get(at + NftSocket.NLMSG_HEADER_OCTETS);
        message(
            type & 0xff,
            family,
            new AttributeReader(in, at + AttributeWriter.HEADER_OCTETS, at + length));
      }
    }
  }

  private void message(int type, int family, AttributeReader attributes) {
    if (type == NftBatch.NEW_GENERATION) {
      generation(attributes);
    } else if (!touched && attributes.next() && attributes.type() == 1) {
      // Every object's message names its table first.
      for (NftTableName table : tables) {
        touched |= NftBatch.familyCode(table.family()) == family && attributes.isText(table.name());
      }
    }
  }

  private void generation(AttributeReader attributes) {
    int generation = 0;
    int process = 0;
    String name = "";
    while (attributes.next()) {
      switch (attributes.type()) {
        case GENERATION_ID -> generation = attributes.be32();
        case GENERATION_PROCESS -> process = attributes.be32();
        case GENERATION_NAME -> name = attributes.text();
        default -> {}
      }
    }
    if (touched) {
      touched = false;
      suspicious(name + "[" + process + "]");
    } else {
      notices.harmless(generation);
    }
  }

  private void suspicious(String by) {
    if (!closing) {
      notices.suspicious(by);
    }
  }

  @Override
  public Report take() {
    return notices.take();
  }

  @Override
  public void close() {
    if (closing) {
      return;
    }
    closing = true;
    try {
      LibC.signal(wake);
      reader.join();
    } catch (LinuxException unwakeable) {
      throw new IllegalStateException(unwakeable);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return; // the reader may still use the descriptors: leaking two beats closing another's
    }
    LibC.close(wake);
    LibC.close(socket);
  }
}
