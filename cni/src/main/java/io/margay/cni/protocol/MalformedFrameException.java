package io.margay.cni.protocol;

import java.io.IOException;

/// The other side sent something that is no frame of this protocol. The connection is of no further
/// use.
public final class MalformedFrameException extends IOException {

  private static final long serialVersionUID = 1L;

  MalformedFrameException(String message) {
    super(message);
  }
}
