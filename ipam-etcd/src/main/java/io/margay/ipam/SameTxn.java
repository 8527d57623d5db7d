package io.margay.ipam;

import io.margay.datastore.Txn;
import java.util.List;

/// What a caller wants committed in the very transaction that commits its addresses, usually its
/// WorkloadEndpoint.
@FunctionalInterface
public interface SameTxn {

  /// Conditions and writes, given the addresses: IPv4 first, each family in order of assignment.
  /// Called on IPAM's thread, once per attempt: must be quick and free of side effects.
  Extras with(List<Assignment> assignments);

  /// Nothing more.
  static SameTxn nothing() {
    return _ -> Extras.NONE;
  }

  /// Conditions and writes on keys outside IPAM's.
  record Extras(List<Txn.Condition> conditions, List<Txn.Write> writes) {

    /// How many of each one request may add, so that a full group still fits one transaction.
    public static final int MAX_OPERATIONS = 8;

    public static final Extras NONE = new Extras(List.of(), List.of());

    public Extras {
      conditions = List.copyOf(conditions);
      writes = List.copyOf(writes);
      if (conditions.size() > MAX_OPERATIONS || writes.size() > MAX_OPERATIONS) {
        throw new IllegalArgumentException(
            conditions.size()
                + " conditions and "
                + writes.size()
                + " writes beside an address; expected at most "
                + MAX_OPERATIONS
                + " each");
      }
      for (Txn.Write write : writes) {
        if (write.key().startsWith(IpamKeys.ROOT)) {
          throw new IllegalArgumentException(write.key() + " is IPAM's own; only IPAM writes it");
        }
      }
    }
  }
}
