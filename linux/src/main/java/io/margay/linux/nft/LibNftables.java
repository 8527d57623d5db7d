package io.margay.linux.nft;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Pointer;

/// Prints rules by libnftables, the nft tool's own library, in this process.
///
/// For processes that may end: the library's contexts are not for threads, and where it meets a
/// rule that it can't put into words it may end the process (version 1.0.6 does, at a rule that
/// looks one set up by what another yielded). The agent never loads it.
public final class LibNftables {

  private static final String LIBRARY = "libnftables.so.1";

  /// NFT_CTX_OUTPUT_HANDLE, NFT_CTX_OUTPUT_TERSE (nftables/libnftables.h).
  private static final int WITH_HANDLES = 1 << 3;

  private static final int WITHOUT_ELEMENTS = 1 << 11;

  private static final Pattern RULE = Pattern.compile("^\t\t(.*?) # handle ([0-9]+)$");
  private static final Pattern COMMENT = Pattern.compile(" comment \"[^\"]*\"$");

  private final Functions library;

  private LibNftables(Functions library) {
    this.library = library;
  }

  /// Public only because JNR-FFI implements it from another class loader; this file keeps it in.
  public interface Functions {
    Pointer nft_ctx_new(int flags);

    void nft_ctx_free(Pointer context);

    int nft_ctx_buffer_output(Pointer context);

    int nft_ctx_buffer_error(Pointer context);

    void nft_ctx_output_set_flags(Pointer context, int flags);

    int nft_run_cmd_from_buffer(Pointer context, String command);

    String nft_ctx_get_output_buffer(Pointer context);

    String nft_ctx_get_error_buffer(Pointer context);
  }

  /// Empty if the machine has no such library.
  public static Optional<LibNftables> load() {
    try {
      return Optional.of(
          new LibNftables(LibraryLoader.create(Functions.class).failImmediately().load(LIBRARY)));
    } catch (UnsatisfiedLinkError missing) {
      return Optional.empty();
    }
  }

  /// The chain's rules in this thread's network namespace as nft writes them, without their
  /// comments, by handle.
  ///
  /// @throws NftException if the library refuses: its own words
  public Map<Long, String> rules(NftTableName table, String chain) throws NftException {
    Pointer context = library.nft_ctx_new(0);
    try {
      library.nft_ctx_buffer_output(context);
      library.nft_ctx_buffer_error(context);
      library.nft_ctx_output_set_flags(context, WITH_HANDLES | WITHOUT_ELEMENTS);
      if (library.nft_run_cmd_from_buffer(context, "list chain " + table + " " + chain) != 0) {
        throw new NftException(
            "libnftables can't list chain "
                + chain
                + " of table "
                + table
                + ": "
                + library.nft_ctx_get_error_buffer(context).strip(),
            NftException.EINVAL);
      }
      return parse(library.nft_ctx_get_output_buffer(context));
    } finally {
      library.nft_ctx_free(context);
    }
  }

  static Map<Long, String> parse(String listing) {
    Map<Long, String> rules = new HashMap<>();
    for (String line : listing.split("\n")) {
      Matcher rule = RULE.matcher(line);
      if (rule.matches()) {
        rules.put(Long.valueOf(rule.group(2)), COMMENT.matcher(rule.group(1)).replaceFirst(""));
      }
    }
    return rules;
  }
}
