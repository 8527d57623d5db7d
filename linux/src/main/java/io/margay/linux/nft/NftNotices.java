package io.margay.linux.nft;

import java.util.ArrayList;
import java.util.List;

/// What an [NftWatch] has heard and nobody has taken yet: handed from the thread that hears to the
/// one that takes.
final class NftNotices {

  /// Harmless transactions remembered between two takings; past it, something counts as missed.
  static final int LIMIT = 65_536;

  private final Runnable alarm;
  private final List<Integer> harmless = new ArrayList<>();
  private boolean suspicious;
  private String by = "";

  /// @param alarm run by whoever hears of something suspicious, once until it is taken
  NftNotices(Runnable alarm) {
    this.alarm = alarm;
  }

  synchronized void harmless(int generation) {
    if (harmless.size() < LIMIT) {
      harmless.add(generation);
    } else {
      suspicious = true;
    }
  }

  /// @param by as in [NftWatch.Report]
  void suspicious(String by) {
    boolean first;
    synchronized (this) {
      first = !suspicious;
      suspicious = true;
      this.by = by;
    }
    if (first) {
      alarm.run();
    }
  }

  synchronized NftWatch.Report take() {
    NftWatch.Report report = new NftWatch.Report(harmless, suspicious, by);
    harmless.clear();
    suspicious = false;
    by = "";
    return report;
  }
}
