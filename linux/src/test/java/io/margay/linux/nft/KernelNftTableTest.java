package io.margay.linux.nft;

import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;

@Tag("netns")
final class KernelNftTableTest extends NftTableContractTest {

  private NftNamespace namespace;

  @BeforeEach
  void raise() throws IOException {
    namespace = new NftNamespace();
  }

  @AfterEach
  void clean() throws IOException {
    namespace.close();
  }

  @Override
  NftKernel open() throws NftException {
    return namespace.open();
  }
}
