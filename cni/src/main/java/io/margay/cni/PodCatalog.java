package io.margay.cni;

import io.margay.cni.journal.Workload;
import io.margay.cni.spec.CniException;
import io.margay.model.k8s.KubernetesPod;
import java.util.Optional;

/// What users say of pods, as far as this node has been told. Never asks the datastore: ADD can't
/// wait for that.
public interface PodCatalog {

  /// The document of a pod; empty if nobody wrote one.
  ///
  /// @throws CniException 7 somebody wrote what can't be read; the pod must not start under labels
  ///   its user did not mean
  Optional<KubernetesPod> find(Workload.Pod pod) throws CniException;
}
