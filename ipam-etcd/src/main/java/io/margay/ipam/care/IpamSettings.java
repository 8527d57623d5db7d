package io.margay.ipam.care;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.IpamKeys;
import io.margay.model.resource.FieldError;
import io.margay.model.resource.IPAMConfiguration;
import io.margay.model.resource.IPAMConfigurationSpec;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.ResourceRef;
import io.margay.model.resource.ResourceValidator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// The cluster-wide settings of address assignment. Every allocator, Calico's too, goes by the
/// document at {@link IpamKeys#CONFIG}; Calico's client keeps the IPAMConfiguration resource under
/// another key, which no allocator reads. Here the two are one: the document is the truth, and the
/// resource is written and read together with it.
public final class IpamSettings {

  /// The one resource there is.
  public static final ResourceRef REF = ResourceRef.global(Kind.IPAM_CONFIGURATION, "default");

  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final int MAX_ATTEMPTS = 8;

  /// The document's fields that the resource has as well.
  private static final Set<String> FIELDS =
      Set.of(
          "strict_affinity",
          "auto_allocate_blocks",
          "maxBlocksPerHost",
          "kubeVirtVMAddressPersistence",
          "ipCooldownSeconds");

  private IpamSettings() {}

  /// The resource as it is in force: what allocators go by, under the resource's metadata if there
  /// is one.
  ///
  /// @param resource the stored resource, if there is a valid one
  /// @param document what is stored at {@link IpamKeys#CONFIG}
  /// @return empty when neither is stored
  /// @throws IllegalArgumentException when the document can't be read
  public static Optional<IPAMConfiguration> inForce(
      Optional<IPAMConfiguration> resource, Optional<String> document) {
    if (document.isEmpty()) {
      return resource;
    }
    JsonNode fields = parse(document.get());
    IPAMConfiguration base =
        resource.orElseGet(
            () -> new IPAMConfiguration(Metadata.named(REF.name()), IPAMConfigurationSpec.EMPTY));
    IPAMConfigurationSpec spec = base.spec();
    return Optional.of(
        base.withSpec(
            new IPAMConfigurationSpec(
                fields.path("strict_affinity").asBoolean(false),
                // Left out, it means what IpamConfig takes it for.
                fields
                    .path("auto_allocate_blocks")
                    .asBoolean(!fields.path("strict_affinity").asBoolean(false)),
                fields.path("maxBlocksPerHost").asInt(0),
                fields.hasNonNull("kubeVirtVMAddressPersistence")
                    ? fields.path("kubeVirtVMAddressPersistence").asText()
                    : null,
                fields.hasNonNull("ipCooldownSeconds")
                    ? fields.path("ipCooldownSeconds").asInt()
                    : null,
                spec.unknown())));
  }

  /// The document allocators go by, made of a resource; what it says beyond that stays. As in
  /// Calico's, false and 0 are said by leaving the field out.
  ///
  /// @param before the document as it is; null when there is none
  public static String document(IPAMConfigurationSpec spec, @Nullable String before) {
    ObjectNode document = JSON.createObjectNode();
    if (spec.isStrictAffinity()) {
      document.put("strict_affinity", true);
    }
    if (spec.mayAllocateBlocks()) {
      document.put("auto_allocate_blocks", true);
    }
    putUnlessZero(document, "maxBlocksPerHost", spec.maxBlocksPerHost());
    String persistence = spec.kubeVirtVMAddressPersistence();
    if (persistence != null) {
      document.put("kubeVirtVMAddressPersistence", persistence);
    }
    putUnlessZero(document, "ipCooldownSeconds", spec.ipCooldownSeconds());
    if (before != null) {
      document.setAll(parse(before).remove(FIELDS));
    }
    return document.toString();
  }

  private static void putUnlessZero(ObjectNode document, String field, @Nullable Integer value) {
    if (value != null && value != 0) {
      document.put(field, value);
    }
  }

  /// Lets a transaction that writes the resource make the document say the same.
  ///
  /// @return whether it says so already; then nothing was added
  /// @throws IllegalArgumentException when the document can't be read
  public static boolean follow(Datastore datastore, IPAMConfigurationSpec spec, Txn.Builder txn)
      throws DatastoreException {
    Optional<KeyValue> document = datastore.get(IpamKeys.CONFIG);
    String text = document(spec, document.map(KeyValue::value).orElse(null));
    if (document.isPresent() && document.get().value().equals(text)) {
      return true;
    }
    guard(document, txn).put(IpamKeys.CONFIG, text);
    return false;
  }

  private static Txn.Builder guard(Optional<KeyValue> document, Txn.Builder txn) {
    return document
        .map(item -> txn.ifAtRevision(item.key(), item.modRevision()))
        .orElseGet(() -> txn.ifAbsent(IpamKeys.CONFIG));
  }

  private static ObjectNode parse(String json) {
    try {
      if (JSON.readTree(json) instanceof ObjectNode object) {
        return object;
      }
    } catch (JsonProcessingException malformed) {
      throw new IllegalArgumentException(
          IpamKeys.CONFIG + " is not JSON: " + malformed.getOriginalMessage(), malformed);
    }
    throw new IllegalArgumentException(IpamKeys.CONFIG + " is not a JSON object");
  }

  /// The settings in force; the defaults when nothing is stored.
  public static IPAMConfigurationSpec read(Datastore datastore) throws DatastoreException {
    Optional<KeyValue> resource = datastore.get(ResourceKeys.key(REF));
    Optional<KeyValue> document = datastore.get(IpamKeys.CONFIG);
    return inForce(decode(resource), document.map(KeyValue::value))
        .map(IPAMConfiguration::spec)
        .orElse(new IPAMConfigurationSpec(false, true, 0, null, null, Map.of()));
  }

  private static Optional<IPAMConfiguration> decode(Optional<KeyValue> stored) {
    return stored
        .flatMap(item -> ResourceJson.decode(item.key(), item.value(), item.modRevision()))
        .flatMap(
            decoded ->
                decoded instanceof Decoded.Valid(IPAMConfiguration valid)
                    ? Optional.of(valid)
                    : Optional.empty());
  }

  /// How a change ended.
  public sealed interface Result {
    /// In force.
    record Done(IPAMConfigurationSpec spec) implements Result {}

    /// It is so already.
    record Unchanged(IPAMConfigurationSpec spec) implements Result {}

    /// Nothing was changed.
    record Refused(String reason) implements Result {}
  }

  /// Changes settings: the document, and the resource if there is one, in one transaction.
  public static Result change(Datastore datastore, UnaryOperator<IPAMConfigurationSpec> change)
      throws DatastoreException {
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      Optional<KeyValue> stored = datastore.get(ResourceKeys.key(REF));
      Optional<KeyValue> document = datastore.get(IpamKeys.CONFIG);
      Optional<IPAMConfiguration> resource = decode(stored);
      IPAMConfigurationSpec before =
          inForce(resource, document.map(KeyValue::value))
              .map(IPAMConfiguration::spec)
              .orElse(IPAMConfigurationSpec.EMPTY);
      IPAMConfigurationSpec wanted = change.apply(before);
      IPAMConfiguration after =
          resource
              .orElseGet(() -> new IPAMConfiguration(Metadata.named(REF.name()), wanted))
              .withSpec(wanted);
      List<FieldError> errors = ResourceValidator.validate(after);
      if (!errors.isEmpty()) {
        return new Result.Refused(errors.getFirst().toString());
      }
      String text = document(wanted, document.map(KeyValue::value).orElse(null));
      if (document.isPresent() && document.get().value().equals(text)) {
        return new Result.Unchanged(wanted);
      }
      Txn.Builder txn = guard(document, Txn.builder()).put(IpamKeys.CONFIG, text);
      if (stored.isPresent() && resource.isPresent()) {
        txn.ifAtRevision(stored.get().key(), stored.get().modRevision())
            .put(stored.get().key(), ResourceJson.encode(after));
      }
      if (datastore.commit(txn.build()) instanceof CommitResult.Committed) {
        return new Result.Done(wanted);
      }
    }
    return new Result.Refused("others kept changing it meanwhile; try again");
  }
}
