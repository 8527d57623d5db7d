package io.margay.agent.cni;

import io.margay.cni.EndpointPolicy;
import io.margay.cni.PodEndpoint;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.model.resource.ResourceRef;
import io.margay.model.resource.WorkloadEndpoint;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Policy before wire: an endpoint goes straight to calc, and the caller waits until the kernel has
/// it.
public final class KernelEndpointPolicy implements EndpointPolicy {

  /// How long an ADD waits for its rules and routes.
  public static final Duration APPLY_LIMIT = Duration.ofSeconds(5);

  private static final Logger LOG = LoggerFactory.getLogger(KernelEndpointPolicy.class);

  private final Calculation calculation;
  private final EndpointDirectory directory;

  /// The node's calculation, from any thread.
  public interface Calculation {

    /// The revision of an endpoint that the store has not heard of yet.
    long UNSTORED = -1;

    /// @param revision at which the endpoint was committed, 0 if it was found in the store, or
    ///   [#UNSTORED]
    /// @return completes when the endpoint's rules and routes are in the kernel
    CompletableFuture<Void> handIn(WorkloadEndpoint endpoint, long revision);

    /// Takes away what is in force for an endpoint, unless it is by then another container's.
    ///
    /// @param container whose endpoint it was
    /// @return completes when its rules and routes are gone, or are the other container's
    CompletableFuture<Void> takeAway(ResourceRef endpoint, String container);

    /// @return completes with what the kernel lacks of the endpoint, a sentence each, and empty
    ///   when its rules and routes are there
    CompletableFuture<List<String>> problems(ResourceRef endpoint);
  }

  public KernelEndpointPolicy(Calculation calculation, EndpointDirectory directory) {
    this.calculation = calculation;
    this.directory = directory;
  }

  @Override
  public Applying begin(PodEndpoint endpoint) {
    long revision = directory.revisionOf(endpoint.attachment().id());
    CompletableFuture<Void> applied = calculation.handIn(endpoint.document(), revision);
    return () -> await(endpoint, applied);
  }

  private static void await(PodEndpoint endpoint, CompletableFuture<Void> applied)
      throws CniException {
    try {
      applied.get(APPLY_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException late) {
      throw notProgrammed(endpoint, "not within " + APPLY_LIMIT.toSeconds() + " s");
    } catch (ExecutionException failed) {
      throw notProgrammed(endpoint, String.valueOf(failed.getMessage()));
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
      throw notProgrammed(endpoint, "the agent is stopping");
    }
  }

  private static CniException notProgrammed(PodEndpoint endpoint, String why) {
    return new CniException(
        CniError.POLICY_NOT_PROGRAMMED,
        "rules and routes of "
            + endpoint.attachment().id()
            + " are not in the kernel: "
            + why
            + "; the pod stays closed, see margay node status");
  }

  @Override
  public void remove(PodEndpoint endpoint) {
    ResourceRef ref = endpoint.document().ref();
    AttachmentId id = endpoint.attachment().id();
    directory.remember(id, ref);
    try {
      calculation
          .takeAway(ref, id.containerId())
          .get(APPLY_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException late) {
      LOG.atWarn()
          .addKeyValue("endpoint", ref)
          .addKeyValue("reason", String.valueOf(late.getMessage()))
          .log("rules and routes are not gone yet; the dataplane goes on trying");
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public List<String> problems(PodEndpoint endpoint) {
    try {
      return calculation
          .problems(endpoint.document().ref())
          .get(APPLY_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException late) {
      return List.of("its rules and routes could not be read in " + APPLY_LIMIT.toSeconds() + " s");
    } catch (ExecutionException failed) {
      return List.of("its rules and routes could not be read: " + failed.getMessage());
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
      return List.of("its rules and routes could not be read: the agent is stopping");
    }
  }
}
