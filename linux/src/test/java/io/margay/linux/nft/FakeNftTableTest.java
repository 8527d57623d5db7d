package io.margay.linux.nft;

final class FakeNftTableTest extends NftTableContractTest {

  private final FakeNftables fake = new FakeNftables(true);

  @Override
  NftKernel open() {
    return fake.open();
  }
}
