package io.margay.bgp.policy;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What is wanted with the routes of one peer, session or not.
///
/// @param importMode what becomes of received routes no filter decides on
/// @param exportMode which routes no filter decides on are announced
/// @param filters in the order they are asked
/// @param allowLocalAs how often our own AS may be in a received path (and as often the local AS)
/// @param localAs another AS to be to this peer; null = our own
/// @param prepend how often more than once our AS stands in the paths an external peer is told
/// @param nextHop which next hop the peer is told
/// @param maxPrefix null = no limit
/// @param enforceFirstAs whether the paths of an external peer must begin with its AS (RFC 4271
///   §6.3); not so with the route server of an exchange
/// @param rejectAsSets whether paths with AS_SET or AS_CONFED_SET are refused (RFC 9774)
/// @param bilateral whether the peer is neither provider nor customer: routes with NOPEER are
///   withheld (RFC 3765)
public record PeerPolicy(
    ImportMode importMode,
    ExportMode exportMode,
    List<RouteFilter> filters,
    int allowLocalAs,
    @Nullable LocalAs localAs,
    int prepend,
    NextHopMode nextHop,
    @Nullable MaxPrefix maxPrefix,
    boolean enforceFirstAs,
    boolean rejectAsSets,
    boolean bilateral) {

  /// More would only hide a mistake: an AS number written in place of a count.
  public static final int MAX_ALLOW_LOCAL_AS = 10;

  /// As many as a filter can prepend.
  public static final int MAX_PREPEND = 10;

  /// Nothing stated, everything else as usual.
  public static final PeerPolicy UNSTATED = builder().build();

  public PeerPolicy {
    filters = List.copyOf(filters);
    if (allowLocalAs < 0 || allowLocalAs > MAX_ALLOW_LOCAL_AS) {
      throw new IllegalArgumentException(
          "allowLocalAs: "
              + allowLocalAs
              + " is not in 0.."
              + MAX_ALLOW_LOCAL_AS
              + "; it is a number of occurrences, not an AS number");
    }
    if (prepend < 0 || prepend > MAX_PREPEND) {
      throw new IllegalArgumentException("prepend: " + prepend + " is not in 0.." + MAX_PREPEND);
    }
  }

  /// What becomes of undecided routes of a peer; {@link ImportMode#UNSTATED} stands for the refusal
  /// of RFC 8212.
  ImportMode importMode(PeerKind kind) {
    return switch (importMode) {
      case ACCEPT, REJECT -> importMode;
      case UNSTATED ->
          kind.isInternal() || !filters.isEmpty() ? ImportMode.ACCEPT : ImportMode.UNSTATED;
    };
  }

  /// What a peer is told of undecided routes; {@link ExportMode#UNSTATED} stands for the refusal of
  /// RFC 8212.
  ExportMode exportMode(PeerKind kind) {
    return switch (exportMode) {
      case ALL, OWN, NONE -> exportMode;
      case UNSTATED -> {
        if (kind.isInternal()) {
          yield ExportMode.ALL;
        }
        yield filters.isEmpty() ? ExportMode.UNSTATED : ExportMode.OWN;
      }
    };
  }

  /// Of a policy that states nothing yet.
  public static Builder builder() {
    return new Builder();
  }

  /// Of a policy that says what this one says.
  public Builder toBuilder() {
    Builder builder = new Builder();
    builder.importMode = importMode;
    builder.exportMode = exportMode;
    builder.filters = filters;
    builder.allowLocalAs = allowLocalAs;
    builder.localAs = localAs;
    builder.prepend = prepend;
    builder.nextHop = nextHop;
    builder.maxPrefix = maxPrefix;
    builder.enforceFirstAs = enforceFirstAs;
    builder.rejectAsSets = rejectAsSets;
    builder.bilateral = bilateral;
    return builder;
  }

  /// States a policy piece by piece.
  public static final class Builder {

    private ImportMode importMode = ImportMode.UNSTATED;
    private ExportMode exportMode = ExportMode.UNSTATED;
    private List<RouteFilter> filters = List.of();
    private int allowLocalAs;
    private @Nullable LocalAs localAs;
    private int prepend;
    private NextHopMode nextHop = NextHopMode.AUTO;
    private @Nullable MaxPrefix maxPrefix;
    private boolean enforceFirstAs = true;
    private boolean rejectAsSets = true;
    private boolean bilateral;

    private Builder() {}

    public Builder importMode(ImportMode mode) {
      importMode = mode;
      return this;
    }

    public Builder exportMode(ExportMode mode) {
      exportMode = mode;
      return this;
    }

    public Builder filters(List<RouteFilter> inOrder) {
      filters = inOrder;
      return this;
    }

    public Builder allowLocalAs(int occurrences) {
      allowLocalAs = occurrences;
      return this;
    }

    public Builder localAs(@Nullable LocalAs as) {
      localAs = as;
      return this;
    }

    public Builder prepend(int times) {
      prepend = times;
      return this;
    }

    public Builder nextHop(NextHopMode mode) {
      nextHop = mode;
      return this;
    }

    public Builder maxPrefix(@Nullable MaxPrefix limit) {
      maxPrefix = limit;
      return this;
    }

    public Builder enforceFirstAs(boolean enforce) {
      enforceFirstAs = enforce;
      return this;
    }

    public Builder rejectAsSets(boolean reject) {
      rejectAsSets = reject;
      return this;
    }

    public Builder bilateral(boolean neitherProviderNorCustomer) {
      bilateral = neitherProviderNorCustomer;
      return this;
    }

    public PeerPolicy build() {
      return new PeerPolicy(
          importMode,
          exportMode,
          filters,
          allowLocalAs,
          localAs,
          prepend,
          nextHop,
          maxPrefix,
          enforceFirstAs,
          rejectAsSets,
          bilateral);
    }
  }
}
