package io.margay.ipam;

/// A document that is there and can't be read. It is a person's to put right: what it should say is
/// known to nobody else, so it is never written, and nothing is concluded from its absence.
///
/// @param key where it is
/// @param reason what is wrong with it
public record Unreadable(String key, String reason) {

  /// Which document it is, what is wrong with it, and how to put it right.
  public String sentence() {
    return (reason.startsWith(key) ? reason : key + ": " + reason) + "; " + remedy();
  }

  /// A handle and a claim say nothing that blocks don't.
  private String remedy() {
    if (key.equals(IpamKeys.CONFIG)) {
      return "restore it, or delete the key and set what it said with `margay ipam configure`";
    }
    return IpamKeys.blockOf(key).isPresent()
        ? "`margay ipam repair --apply` mends it if that is possible, else restore it, or delete the"
            + " key once no pod has an address of it"
        : "delete the key, then `margay ipam repair --apply` writes it as blocks say";
  }
}
