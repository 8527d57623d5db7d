package io.margay.cli.resource;

import io.margay.datastore.KeyValue;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.EndpointSliceDocuments;
import io.margay.datastore.json.PodDocuments;
import io.margay.ipam.Block;
import io.margay.ipam.BlockAffinity;
import io.margay.ipam.Handle;
import io.margay.ipam.IpamKeys;
import io.margay.model.resource.FieldError;
import io.margay.model.resource.ResourceRef;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.stream.Collectors;

/// What is wrong with a document that a view shows, or would show, and what is done meanwhile.
///
/// @param object its kind and name
/// @param name as the view has it
record ViewProblem(String object, String name, String text) {

  private static final String OUT_OF_USE =
      "; nothing is assigned or freed there until it is put right, margay ipam check says more";

  /// @return empty if all is well, or the key is no document's of the view
  static Optional<ViewProblem> of(View view, KeyValue item) {
    return switch (view) {
      case PODS -> PodDocuments.parseKey(item.key()).flatMap(name -> pod(name, item.value()));
      case ENDPOINT_SLICES ->
          EndpointSliceDocuments.parseKey(item.key()).flatMap(ref -> slice(ref, item.value()));
      case IPAM_BLOCKS ->
          IpamKeys.blockOf(item.key())
              .flatMap(cidr -> unreadable(view, View.dashed(cidr.toString()), item, Block::parse));
      case IPAM_HANDLES ->
          IpamKeys.handleOf(item.key())
              .flatMap(
                  id ->
                      unreadable(
                          view,
                          id.toLowerCase(Locale.ROOT),
                          item,
                          (_, json) -> Handle.parse(id, json)));
      case BLOCK_AFFINITIES ->
          IpamKeys.affinityOf(item.key())
              .flatMap(
                  key ->
                      unreadable(
                          view,
                          key.node() + "-" + View.dashed(key.block().toString()),
                          item,
                          BlockAffinity::parse));
    };
  }

  private static Optional<ViewProblem> pod(PodDocuments.PodName name, String value) {
    return PodDocuments.decode(name, value) instanceof PodDocuments.Stored.Unreadable(String reason)
        ? Optional.of(
            new ViewProblem(name.toString(), name.name(), reason + "; its endpoint stays as it is"))
        : Optional.empty();
  }

  private static Optional<ViewProblem> slice(ResourceRef ref, String value) {
    return EndpointSliceDocuments.decode(ref, value) instanceof Decoded.Invalid invalid
        ? Optional.of(
            new ViewProblem(
                ref.toString(),
                ref.name(),
                invalid.errors().stream()
                        .map(FieldError::toString)
                        .collect(Collectors.joining("; "))
                    + "; taken for absent, its service lacks its endpoints"))
        : Optional.empty();
  }

  private static Optional<ViewProblem> unreadable(
      View view, String name, KeyValue item, BiFunction<String, String, ?> parse) {
    try {
      var _ = parse.apply(item.key(), item.value());
      return Optional.empty();
    } catch (IllegalArgumentException wrong) {
      return Optional.of(
          new ViewProblem(
              view.kindName() + "(" + name + ")", name, wrong.getMessage() + OUT_OF_USE));
    }
  }
}
