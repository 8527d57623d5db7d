package io.margay.agent.cni;

import io.margay.cni.journal.Attachment;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.datastore.DatastoreException;
import io.margay.ipam.AssignResult;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;

/// What a runtime is told when there is no address.
final class AddressErrors {

  private AddressErrors() {}

  /// What was assigned.
  ///
  /// @throws CniException with the plugin's code and what to do, when nothing was
  static AssignResult.Assigned requireAssigned(
      String node, Attachment attachment, AssignResult result) throws CniException {
    return switch (result) {
      case AssignResult.Assigned assigned -> assigned;
      case AssignResult.NoPool(IpFamily family, String reason) ->
          throw exhausted(attachment, "no IPPool for " + family + ": " + reason);
      case AssignResult.PoolExhausted(IpFamily family, String reason) ->
          throw exhausted(attachment, "every eligible " + family + " pool is used up: " + reason);
      case AssignResult.BlockLimit(IpFamily family, int limit) ->
          throw exhausted(
              attachment,
              "node "
                  + node
                  + " owns "
                  + limit
                  + " "
                  + family
                  + " blocks, its limit, and all are full");
      case AssignResult.Unavailable(IpAddress address, String reason) ->
          throw new CniException(
              CniError.ADDRESS_UNAVAILABLE,
              "address " + address + " for " + attachment.id() + ": " + reason);
      case AssignResult.ExtraConflict _ ->
          throw new IllegalStateException("the caller asks again: " + attachment.id());
    };
  }

  private static CniException exhausted(Attachment attachment, String why) {
    return new CniException(
        CniError.POOL_EXHAUSTED,
        "no address for " + attachment.id() + ": " + why + "; see margay ipam show");
  }

  static CniException unreachable(String what, DatastoreException away) {
    return new CniException(
        CniError.DATASTORE_UNREACHABLE,
        "the datastore did not take the change for " + what + ": " + away.getMessage(),
        away);
  }

  static CniException keepsChanging(AttachmentId id) {
    return new CniException(
        CniError.TRY_LATER, "the WorkloadEndpoint of " + id + " keeps changing; try again");
  }
}
