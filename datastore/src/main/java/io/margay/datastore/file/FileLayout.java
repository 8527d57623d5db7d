package io.margay.datastore.file;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.margay.datastore.json.ResourceKeys;
import io.margay.model.resource.ResourceRef;
import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Which file holds which key: resources in `<plural>/[<namespace>/]<name>.yaml`, everything else
/// in `_keys/`, its segments as folders and the last one with `.value` behind it.
///
/// What a file name can't hold (a slash, `..`, an end that would look like a file's) is written as
/// `%` and two hexadecimal digits, an empty segment as `%`; a longer segment than a file system
/// takes continues in a folder below, after `%+`.
final class FileLayout {

  /// The folder of keys that are not resources.
  static final String KEYS = "_keys";

  static final String RESOURCE_SUFFIX = ".yaml";
  static final String VALUE_SUFFIX = ".value";

  private static final int MAX_SEGMENT = 200;
  private static final String CONTINUED = "%+";
  private static final String PLAIN = "._~@=+:,-";

  private FileLayout() {}

  /// The file of a key, relative to the root.
  static Path fileOf(String key) {
    Optional<ResourceRef> ref = resource(key);
    if (ref.isPresent()) {
      return path(
          List.of(key.substring(ResourceKeys.ROOT.length()).split("/", -1)), RESOURCE_SUFFIX);
    }
    List<String> segments = new ArrayList<>(List.of(key.substring(1).split("/", -1)));
    return Path.of(KEYS).resolve(path(segments, VALUE_SUFFIX));
  }

  /// The resource a key names, if it is one and spelt as this code would spell it.
  static Optional<ResourceRef> resource(String key) {
    return ResourceKeys.parseKey(key).filter(ref -> ResourceKeys.key(ref).equals(key));
  }

  /// The key of a file, relative to the root; empty if no key is stored there.
  static Optional<String> keyOf(Path file) {
    boolean opaque = file.getName(0).toString().equals(KEYS);
    if (opaque && file.getNameCount() == 1) {
      return Optional.empty();
    }
    Path below = opaque ? file.subpath(1, file.getNameCount()) : file;
    String suffix = opaque ? VALUE_SUFFIX : RESOURCE_SUFFIX;
    if (!below.toString().endsWith(suffix)) {
      return Optional.empty();
    }
    StringBuilder key = new StringBuilder(opaque ? "/" : ResourceKeys.ROOT);
    StringBuilder segment = new StringBuilder();
    try {
      for (int i = 0; i < below.getNameCount(); i++) {
        String name = below.getName(i).toString();
        boolean last = i == below.getNameCount() - 1;
        if (!last && name.endsWith(CONTINUED)) {
          segment.append(name, 0, name.length() - CONTINUED.length());
          continue;
        }
        segment.append(last ? name.substring(0, name.length() - suffix.length()) : name);
        key.append(decode(segment.toString())).append(last ? "" : "/");
        segment.setLength(0);
      }
    } catch (IllegalArgumentException notOurs) {
      return Optional.empty();
    }
    String found = key.toString();
    return (opaque || resource(found).isPresent()) && fileOf(found).equals(file)
        ? Optional.of(found)
        : Optional.empty();
  }

  private static Path path(List<String> segments, String suffix) {
    Path path = Path.of("");
    for (int i = 0; i < segments.size(); i++) {
      String rest = encode(segments.get(i));
      while (rest.length() > MAX_SEGMENT) {
        path = path.resolve(rest.substring(0, MAX_SEGMENT) + CONTINUED);
        rest = rest.substring(MAX_SEGMENT);
      }
      path = path.resolve(i == segments.size() - 1 ? rest + suffix : rest);
    }
    return path;
  }

  private static String encode(String segment) {
    if (segment.isEmpty()) {
      return "%";
    }
    byte[] octets = segment.getBytes(UTF_8);
    boolean looksLikeFile = segment.endsWith(RESOURCE_SUFFIX) || segment.endsWith(VALUE_SUFFIX);
    StringBuilder name = new StringBuilder(octets.length);
    for (int i = 0; i < octets.length; i++) {
      int octet = octets[i] & 0xff;
      boolean hidden = octet == '.' && (i == 0 || looksLikeFile);
      if (!hidden && isPlain(octet)) {
        name.append((char) octet);
      } else {
        name.append(String.format(Locale.ROOT, "%%%02X", octet));
      }
    }
    return name.toString();
  }

  private static boolean isPlain(int octet) {
    return octet >= 'a' && octet <= 'z'
        || octet >= 'A' && octet <= 'Z'
        || octet >= '0' && octet <= '9'
        || PLAIN.indexOf(octet) >= 0;
  }

  /// @throws IllegalArgumentException when nothing is encoded so
  private static String decode(String name) {
    if (name.equals("%")) {
      return "";
    }
    ByteArrayOutputStream octets = new ByteArrayOutputStream();
    for (int i = 0; i < name.length(); i++) {
      char at = name.charAt(i);
      if (at != '%') {
        octets.write(at);
        continue;
      }
      if (i + 2 >= name.length()) {
        throw new IllegalArgumentException(name);
      }
      octets.write(Integer.parseInt(name, i + 1, i + 3, 16));
      i += 2;
    }
    return octets.toString(UTF_8);
  }
}
