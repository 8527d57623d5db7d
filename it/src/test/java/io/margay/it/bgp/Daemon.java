package io.margay.it.bgp;

/// The five implementations of the matrix.
enum Daemon {
  BIRD,
  FRR,
  GOBGP,
  OPENBGPD,
  EXABGP;

  Router in(Lab lab, Side side) {
    return switch (this) {
      case BIRD -> new BirdRouter(lab, side);
      case FRR -> new FrrRouter(lab, side);
      case GOBGP -> new GobgpRouter(lab, side);
      case OPENBGPD -> new OpenbgpdRouter(lab, side);
      case EXABGP -> new ExabgpRouter(lab, side);
    };
  }

  Router started(Lab lab, Side side) {
    Router router = in(lab, side);
    router.start();
    return router;
  }
}
