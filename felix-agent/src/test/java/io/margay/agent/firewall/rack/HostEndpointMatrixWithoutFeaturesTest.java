package io.margay.agent.firewall.rack;

/// Host endpoints on a kernel that has no more than 5.15. All of them are `n1`'s, so they take a
/// rack in which that one uses nothing more.
final class HostEndpointMatrixWithoutFeaturesTest extends HostEndpointMatrixTest {

  HostEndpointMatrixWithoutFeaturesTest() throws Exception {
    super();
  }

  @Override
  String bare() {
    return "n1";
  }
}
