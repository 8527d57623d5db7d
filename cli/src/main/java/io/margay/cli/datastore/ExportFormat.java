package io.margay.cli.datastore;

import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.IpamKeys;
import io.margay.model.resource.Kind;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// The form of an export file (docs/migration.md). Calicoctl's three parts, with a line `===`
/// between them: resources as YAML documents, ClusterInformation as JSON, IPAM as JSON; what only
/// Margay has is in fields that calicoctl does not look at. Nothing in it depends on when or where
/// it was written, so equal datastores make equal files.
final class ExportFormat {

  /// The first line; its number changes when an older reader would misread the file.
  static final String HEADER = "# Margay datastore export, format 1";

  static final int VERSION = 1;

  /// Between the three parts.
  static final String PART = "===";

  /// Between YAML documents.
  static final String DOCUMENT = "---";

  /// The last lines: a digest of every octet before them.
  static final String TRAILER = "\"sha256\": \"%s\"\n}\n";

  /// Everything Margay keeps beside Calico's keys.
  static final String MARGAY = "/margay/v1/";

  /// Claims that are not a node's.
  static final String VIRTUAL = IpamKeys.ROOT + "virtual/";

  /// Passwords and keys: copied only when asked for.
  static final String SECRETS = MARGAY + "secrets/";

  /// What running processes say of themselves and to each other; meaningless in a copy.
  private static final List<String> OF_PROCESSES =
      List.of(MARGAY + "agents/", MARGAY + "status/", MARGAY + "probe", MARGAY + "tiers/");

  /// Everything that is copied lies below these.
  static final List<String> ROOTS = List.of(ResourceKeys.ROOT, IpamKeys.ROOT, MARGAY);

  private static final List<String> FIRST =
      List.of(
          "tiers",
          "ippools",
          "ipreservations",
          "ipamconfigurations",
          "nodes",
          "bgpconfigurations",
          "bgpfilters",
          "bgppeers",
          "felixconfigurations",
          "kubecontrollersconfigurations",
          "globalnetworksets",
          "networksets",
          "profiles",
          "globalnetworkpolicies",
          "networkpolicies",
          "hostendpoints");

  private ExportFormat() {}

  /// A part of the IPAM document: its field and the keys in it.
  enum Section {
    AFFINITIES("block_affinities"),
    BLOCKS("blocks"),
    HANDLES("handles"),
    CONFIG("config"),
    /// Copied as they are: Margay's own keys, and documents that can't be read.
    OTHERS("others");

    private final String field;

    Section(String field) {
      this.field = field;
    }

    String field() {
      return field;
    }

    static Optional<Section> ofField(String field) {
      return Arrays.stream(values()).filter(section -> section.field.equals(field)).findFirst();
    }

    /// Where a key belongs that is no readable resource's.
    static Section of(String key) {
      if (IpamKeys.blockOf(key).isPresent()) {
        return BLOCKS;
      }
      if (IpamKeys.affinityOf(key).isPresent()
          || key.startsWith(VIRTUAL) && key.contains("/block/")) {
        return AFFINITIES;
      }
      if (IpamKeys.handleOf(key).isPresent()) {
        return HANDLES;
      }
      return key.equals(IpamKeys.CONFIG) ? CONFIG : OTHERS;
    }
  }

  /// The kinds in the order they are written: what is referred to first. ClusterInformation has a
  /// part of its own.
  static List<Kind> kinds() {
    return Stream.concat(
            FIRST.stream().flatMap(plural -> Kind.ofPlural(plural).stream()),
            Arrays.stream(Kind.values()))
        .distinct()
        .filter(kind -> kind.isStoredAsResource() && kind != Kind.CLUSTER_INFORMATION)
        .toList();
  }

  /// Whether a key is a running process's own affair.
  static boolean isOfProcess(String key) {
    return OF_PROCESSES.stream().anyMatch(key::startsWith);
  }
}
