package io.margay.datastore.json;

import io.margay.model.resource.FieldError;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import java.util.List;
import java.util.Optional;

/// A stored document, read.
public sealed interface Decoded {

  /// What the key says it is.
  ResourceRef ref();

  /// A resource that obeys every rule.
  record Valid(Resource resource) implements Decoded {
    @Override
    public ResourceRef ref() {
      return resource.ref();
    }
  }

  /// Something is stored, but it is not a valid resource. Never to be taken for absent where that
  /// would open a door.
  ///
  /// @param errors at least one
  /// @param readable of a policy, what can be told without its rules: whom it selects, in which
  ///   tier; of a network set, the set with those of its prefixes that are well
  record Invalid(ResourceRef ref, List<FieldError> errors, Optional<Resource> readable)
      implements Decoded {
    public Invalid {
      errors = List.copyOf(errors);
    }
  }
}
