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

  /// A new process in the place of one that was killed. BIRD and GoBGP must be told that they
  /// restart.
  Router restarted(Lab lab, Side side) {
    return switch (this) {
      case BIRD -> {
        BirdRouter router = new BirdRouter(lab, side);
        router.startAgain();
        yield router;
      }
      case GOBGP -> {
        GobgpRouter router = new GobgpRouter(lab, side);
        router.startAgain();
        yield router;
      }
      case FRR, OPENBGPD, EXABGP -> started(lab, side);
    };
  }
}
