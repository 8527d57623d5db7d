package io.margay.cli.calico;

import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.care.IpamCheck;
import io.margay.ipam.care.IpamReport;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// What a datastore holds of a cluster, decoded.
///
/// @param resources the valid ones
/// @param unreadable the others of known kinds
/// @param unknownKinds how many there are of each plural that is not known
/// @param ipam documents of blocks and claims
/// @param report what the address check says
/// @param foreign whether it holds nothing of Calico's, and then whether something of Kubernetes'
record CalicoCluster(
    Map<ResourceRef, Resource> resources,
    List<Decoded.Invalid> unreadable,
    Map<String, Integer> unknownKinds,
    List<KeyValue> ipam,
    IpamReport report,
    Foreign foreign) {

  /// Where Calico's etcd mode keeps everything.
  private static final String CALICO = "/calico/";

  /// Where a Kubernetes API server keeps everything.
  private static final String KUBERNETES = "/registry/";

  /// Whose datastore it is.
  enum Foreign {
    NO,
    KUBERNETES,
    EMPTY
  }

  /// Reads everything; writes nothing.
  static CalicoCluster read(Datastore datastore) throws DatastoreException {
    Foreign foreign = Foreign.NO;
    if (datastore.page(CALICO, "", 1, 0).items().isEmpty()) {
      foreign =
          datastore.page(KUBERNETES, "", 1, 0).items().isEmpty()
              ? Foreign.EMPTY
              : Foreign.KUBERNETES;
    }
    Map<ResourceRef, Resource> resources = new TreeMap<>();
    List<Decoded.Invalid> unreadable = new ArrayList<>();
    Map<String, Integer> unknownKinds = new TreeMap<>();
    for (KeyValue item : datastore.list(ResourceKeys.ROOT).items()) {
      ResourceJson.decode(item.key(), item.value(), item.modRevision())
          .ifPresentOrElse(
              decoded -> {
                switch (decoded) {
                  case Decoded.Valid(Resource resource) -> resources.put(decoded.ref(), resource);
                  case Decoded.Invalid invalid -> unreadable.add(invalid);
                }
              },
              () -> {
                String rest = item.key().substring(ResourceKeys.ROOT.length());
                unknownKinds.merge(rest.split("/", 2)[0], 1, Integer::sum);
              });
    }
    return new CalicoCluster(
        resources,
        unreadable,
        unknownKinds,
        datastore.list(IpamKeys.ROOT).items(),
        IpamCheck.run(datastore),
        foreign);
  }

  /// The valid resources of a type, by name.
  <R extends Resource> List<R> all(Class<R> type) {
    return resources.values().stream().filter(type::isInstance).map(type::cast).toList();
  }

  long count(Kind kind) {
    return resources.keySet().stream().filter(ref -> ref.kind() == kind).count();
  }
}
