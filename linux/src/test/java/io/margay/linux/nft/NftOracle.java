package io.margay.linux.nft;

import io.margay.linux.LinuxException;
import io.margay.linux.netns.Netns;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Pointer;

/// The nft tool's own library as an independent reader of what our octets made of the kernel.
final class NftOracle implements AutoCloseable {

  /// The functions of nftables/libnftables.h used here.
  public interface LibNftables {
    Pointer nft_ctx_new(int flags);

    void nft_ctx_free(Pointer context);

    int nft_ctx_buffer_output(Pointer context);

    int nft_ctx_buffer_error(Pointer context);

    String nft_ctx_get_output_buffer(Pointer context);

    String nft_ctx_get_error_buffer(Pointer context);

    int nft_run_cmd_from_buffer(Pointer context, String command);
  }

  private static final LibNftables NFT =
      LibraryLoader.create(LibNftables.class).load("libnftables.so.1");

  private final Pointer context;

  /// Reads the namespace behind the descriptor: the library's socket is opened with its context.
  NftOracle(int netnsFd) throws LinuxException {
    context = Netns.callIn(netnsFd, () -> NFT.nft_ctx_new(0));
    NFT.nft_ctx_buffer_output(context);
    NFT.nft_ctx_buffer_error(context);
  }

  /// @return what the command printed
  String run(String command) {
    int result = NFT.nft_run_cmd_from_buffer(context, command);
    String output = NFT.nft_ctx_get_output_buffer(context);
    String error = NFT.nft_ctx_get_error_buffer(context);
    if (result != 0) {
      throw new IllegalStateException(command + ": " + error);
    }
    return output;
  }

  @Override
  public void close() {
    NFT.nft_ctx_free(context);
  }
}
