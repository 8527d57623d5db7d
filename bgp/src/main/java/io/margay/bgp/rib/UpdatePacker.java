package io.margay.bgp.rib;

import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.Nlri;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.message.Update;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;

/// Turns differences into as few UPDATEs as hold them: one attribute set per message, filled to the
/// limit.
///
/// @param maxOctets longest message
/// @param attributeOctets what a set of attributes takes on the wire for this peer
record UpdatePacker(int maxOctets, ToIntFunction<PathAttributes> attributeOctets) {

  /// Header and the two length fields (RFC 4271 §4.3).
  private static final int FIXED_OCTETS = 23;

  /// Extended attribute header, AFI, SAFI.
  private static final int MP_UNREACH_OCTETS = 4 + 3;

  /// NEXT_HOP with its header (RFC 4271 §5.1.3).
  private static final int NEXT_HOP_OCTETS = 3 + 4;

  /// The same as of MP_UNREACH, next hop length, one global next hop, reserved octet.
  private static final int MP_REACH_OCTETS = 4 + 3 + 1 + 16 + 1;

  /// @param updates withdrawals first
  /// @param tooLarge prefixes whose attributes fit no message: withdrawn instead
  record Packed(List<Update> updates, List<Prefix> tooLarge) {}

  private record Group(IpFamily family, Advertisement advertisement) {}

  Packed pack(List<AdjRibOut.Change> changes) {
    Map<IpFamily, List<Prefix>> gone = new LinkedHashMap<>();
    Map<Group, List<Prefix>> groups = new LinkedHashMap<>();
    for (AdjRibOut.Change change : changes) {
      Prefix prefix = change.prefix();
      Advertisement advertisement = change.advertisement();
      if (advertisement == null) {
        gone.computeIfAbsent(prefix.family(), _ -> new ArrayList<>()).add(prefix);
      } else {
        groups
            .computeIfAbsent(new Group(prefix.family(), advertisement), _ -> new ArrayList<>())
            .add(prefix);
      }
    }
    List<Prefix> tooLarge = new ArrayList<>();
    List<Update> announcements = new ArrayList<>();
    groups.forEach(
        (group, prefixes) -> {
          if (!announce(group, prefixes, announcements)) {
            tooLarge.addAll(prefixes);
            gone.computeIfAbsent(group.family(), _ -> new ArrayList<>()).addAll(prefixes);
          }
        });
    List<Update> updates = new ArrayList<>();
    gone.forEach((family, prefixes) -> withdraw(family, prefixes, updates));
    updates.addAll(announcements);
    return new Packed(updates, tooLarge);
  }

  private boolean announce(Group group, List<Prefix> prefixes, List<Update> into) {
    PathAttributes attributes = group.advertisement().attributes();
    Ipv4Address nextHop = null;
    int room =
        switch (group.family()) {
          case IPV4 -> {
            if (!(group.advertisement().nextHop() instanceof Ipv4Address hop)) {
              throw new IllegalStateException("IPv4 route with next hop " + group.advertisement());
            }
            nextHop = hop;
            yield maxOctets
                - FIXED_OCTETS
                - NEXT_HOP_OCTETS
                - attributeOctets.applyAsInt(attributes);
          }
          case IPV6 ->
              maxOctets - FIXED_OCTETS - MP_REACH_OCTETS - attributeOctets.applyAsInt(attributes);
        };
    if (room < 1 + group.family().octets()) {
      return false;
    }
    for (List<Prefix> chunk : chunks(prefixes, room)) {
      into.add(
          switch (group.family()) {
            case IPV4 -> Update.ofIpv4(List.of(), attributes, nextHop, chunk);
            case IPV6 ->
                Update.ofReachable(
                    attributes,
                    new PathAttribute.MpReach(
                        AfiSafi.IPV6_UNICAST,
                        group.advertisement().nextHop(),
                        null,
                        Nlri.of(IpFamily.IPV6, chunk)));
          });
    }
    return true;
  }

  private void withdraw(IpFamily family, List<Prefix> prefixes, List<Update> into) {
    int room = maxOctets - FIXED_OCTETS - (family == IpFamily.IPV4 ? 0 : MP_UNREACH_OCTETS);
    for (List<Prefix> chunk : chunks(prefixes, room)) {
      into.add(
          switch (family) {
            case IPV4 -> Update.ofIpv4(chunk, PathAttributes.EMPTY, null, List.of());
            case IPV6 ->
                Update.ofUnreachable(
                    new PathAttribute.MpUnreach(
                        AfiSafi.IPV6_UNICAST, Nlri.of(IpFamily.IPV6, chunk)));
          });
    }
  }

  private static List<List<Prefix>> chunks(List<Prefix> prefixes, int room) {
    List<List<Prefix>> chunks = new ArrayList<>();
    List<Prefix> chunk = new ArrayList<>();
    int used = 0;
    for (Prefix prefix : prefixes) {
      int octets = 1 + (prefix.length() + 7) / 8;
      if (used + octets > room) {
        chunks.add(chunk);
        chunk = new ArrayList<>();
        used = 0;
      }
      chunk.add(prefix);
      used += octets;
    }
    if (!chunk.isEmpty()) {
      chunks.add(chunk);
    }
    return chunks;
  }
}
