package io.margay.linux.nft;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What became of a packet in one base chain.
///
/// @param chain the base chain
/// @param isAccepted whether it goes on; false = dropped
/// @param steps the rules it matched to their ends, in order, those of chains jumped to among them
/// @param packet as it leaves: led elsewhere where a rule did that
public record NftPassage(String chain, boolean isAccepted, List<Step> steps, NftPacket packet) {

  public NftPassage {
    steps = List.copyOf(steps);
  }

  /// A rule all of whose matches held.
  ///
  /// @param chain the rule's chain
  /// @param effect what it did to the packet
  public record Step(String chain, NftRule rule, Effect effect) {}

  public sealed interface Effect {}

  /// It gave a verdict, by itself or by a map.
  public record Judged(NftVerdict verdict) implements Effect {}

  /// It counted, logged or only looked.
  public record WentOn() implements Effect {}

  /// It accepts the packet with another source: the address of its outgoing interface, or one that
  /// the rule names.
  public record Masqueraded() implements Effect {}

  /// It accepts the packet led to another destination.
  public record Redirected() implements Effect {}

  /// The rule that ended the walk; null if the packet came to the chain's end, which accepts.
  public @Nullable Step decision() {
    if (steps.isEmpty()) {
      return null;
    }
    Step last = steps.getLast();
    return switch (last.effect()) {
      case Judged(NftVerdict verdict) ->
          switch (verdict) {
            case NftVerdict.Accept _, NftVerdict.Drop _ -> last;
            case NftVerdict.Jump _, NftVerdict.Return _ -> null;
          };
      case Masqueraded _, Redirected _ -> last;
      case WentOn _ -> null;
    };
  }
}
