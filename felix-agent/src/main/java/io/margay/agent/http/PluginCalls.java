package io.margay.agent.http;

import java.util.Optional;

/// Who answers a Docker plugin's requests.
public interface PluginCalls {

  /// From any thread; may block.
  ///
  /// @param method what Docker calls, e.g. `NetworkDriver.Join`
  /// @param body its JSON document, or nothing
  /// @return the JSON document to answer; empty when there is no such method
  Optional<byte[]> answer(String method, byte[] body);
}
