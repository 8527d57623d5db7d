package io.margay.cni.spec;

import java.util.Optional;

/// A value of `CNI_COMMAND`.
public enum CniVerb {
  ADD(CniVersion.V0_1_0),
  DEL(CniVersion.V0_1_0),
  CHECK(CniVersion.V0_4_0),
  GC(CniVersion.V1_1_0),
  STATUS(CniVersion.V1_1_0),
  VERSION(CniVersion.V0_1_0);

  private final CniVersion since;

  CniVerb(CniVersion since) {
    this.since = since;
  }

  CniVersion since() {
    return since;
  }

  public static Optional<CniVerb> find(String text) {
    for (CniVerb verb : values()) {
      if (verb.name().equals(text)) {
        return Optional.of(verb);
      }
    }
    return Optional.empty();
  }
}
