package io.margay.cni.spec;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;

/// What a runtime is to write into a pod's resolv.conf. Handed on as it came.
///
/// @param nameservers addresses, not checked: they are the runtime's to use
/// @param domain local domain; empty for none
/// @param search domains to look in
/// @param options of the resolver
public record Dns(
    List<String> nameservers, String domain, List<String> search, List<String> options) {

  public static final Dns NONE = new Dns(List.of(), "", List.of(), List.of());

  public Dns {
    nameservers = List.copyOf(nameservers);
    search = List.copyOf(search);
    options = List.copyOf(options);
  }

  /// The object under `dns` of a configuration or a result.
  static Dns read(ConfNode dns) throws CniException {
    return new Dns(
        dns.strings("nameservers"),
        dns.string("domain").orElse(""),
        dns.strings("search"),
        dns.strings("options"));
  }

  /// What [#write] wrote.
  ///
  /// @throws CniException 7 for a value of another type
  public static Dns of(ObjectNode written) throws CniException {
    return read(new ConfNode(written, "dns"));
  }

  /// The object under `runtimeConfig.dns`, which names the same things otherwise.
  static Dns readCapability(ConfNode dns) throws CniException {
    return new Dns(dns.strings("servers"), "", dns.strings("searches"), dns.strings("options"));
  }

  /// The lines of resolv.conf(5) that a result can say.
  public static Dns ofResolvConf(String text) {
    List<String> nameservers = new ArrayList<>();
    String domain = "";
    List<String> search = new ArrayList<>();
    List<String> options = new ArrayList<>();
    for (String line : text.lines().toList()) {
      List<String> words = List.of(line.strip().split("\\s+", -1));
      List<String> values = words.subList(1, words.size());
      switch (words.getFirst()) {
        case "nameserver" -> nameservers.addAll(values);
        case "domain" -> domain = values.isEmpty() ? "" : values.getFirst();
        case "search" -> search.addAll(values);
        case "options" -> options.addAll(values);
        default -> {} // a comment, or nothing a result can say
      }
    }
    return new Dns(nameservers, domain, search, options);
  }

  /// These, unless they say nothing: then `other`.
  public Dns or(Dns other) {
    return equals(NONE) ? other : this;
  }

  /// Writes what there is into an object of its own.
  public void write(ObjectNode node) {
    write(nameservers, node, "nameservers");
    if (!domain.isEmpty()) {
      node.put("domain", domain);
    }
    write(search, node, "search");
    write(options, node, "options");
  }

  private static void write(List<String> texts, ObjectNode node, String key) {
    if (!texts.isEmpty()) {
      ArrayNode array = node.putArray(key);
      texts.forEach(array::add);
    }
  }
}
