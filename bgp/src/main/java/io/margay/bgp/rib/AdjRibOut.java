package io.margay.bgp.rib;

/// What one peer was told of one family (RFC 4271 §3.2), and which prefixes may have to be told
/// anew.
///
/// Held as state, not as a queue: what a peer should know is worked out when it can be told, from
/// the table as it is then. A slow peer costs no more memory and gets the newest state only, and a
/// prefix is never both announced and withdrawn in one batch.
sealed interface AdjRibOut permits BestOut, PathsOut {

  /// These prefixes may have to be told anew.
  ///
  /// @param changed prefixes with another winner
  /// @param considered prefixes with any other path; the former among them
  void mark(IdSet changed, IdSet considered);

  /// Everything may have to be told anew; what did not change stays untold.
  void markAll();

  /// Everything the peer was told is told once more. It is not forgotten meanwhile: a prefix that
  /// goes before its turn must still be withdrawn.
  void refresh();

  boolean isSettled();

  /// Moves what differs into the batch until that is full; it counts as told from then on.
  void take(Exporter exporter, OutBatch batch);

  /// Routes the peer was told.
  int count();

  /// Prefixes that may have to be told.
  int toTell();

  boolean isTold(int prefix);

  /// The peer could not be told: it holds nothing under this path id.
  void untold(int prefix, int pathId);

  /// The session is over.
  void forget();

  /// Receives what the peer was told.
  interface Visitor {
    void told(int pathId, int attributesId);
  }

  /// What the peer was told of one prefix.
  void visit(int prefix, Visitor visitor);
}
