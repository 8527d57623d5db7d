package io.margay.linux.nft;

final class FakeNftablesTest extends NftKernelContractTest {

  private final FakeNftables fake = new FakeNftables(true);

  @Override
  NftKernel open() {
    return fake.open();
  }
}
