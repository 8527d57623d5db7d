package io.margay.agent.calc;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.resource.Kind;
import io.margay.model.resource.ResourceRef;
import org.junit.jupiter.api.Test;

class EndpointOverlayTest {

  private final EndpointOverlay overlay = new EndpointOverlay();
  private final ResourceRef pod = new ResourceRef(Kind.WORKLOAD_ENDPOINT, "web", "n1-k8s-a-eth0");

  @Test
  void what_nobody_touched_here_is_always_news() {
    assertThat(overlay.isNews(pod, 1, "c1")).isTrue();
    assertThat(overlay.isNews(pod, 2, null)).isTrue();
  }

  @Test
  void a_listing_from_before_our_commit_does_not_remove_the_endpoint() {
    overlay.onOwnPut(pod, 10);
    assertThat(overlay.isNews(pod, 9, null)).isFalse();
    assertThat(overlay.isNews(pod, 10, "c1")).isTrue();
    assertThat(overlay.isNews(pod, 9, null)).isTrue();
  }

  @Test
  void a_late_event_does_not_bring_a_removed_endpoint_back() {
    overlay.onOwnPut(pod, 10);
    overlay.onOwnRemoval(pod);
    assertThat(overlay.isNews(pod, 10, "c1")).isFalse();
    assertThat(overlay.isNews(pod, 12, null)).isTrue();
    assertThat(overlay.isNews(pod, 13, "c1")).isTrue();
  }

  @Test
  void a_new_pod_of_the_same_name_replaces_the_removal() {
    overlay.onOwnRemoval(pod);
    overlay.onOwnPut(pod, 20);
    assertThat(overlay.isNews(pod, 19, null)).isFalse();
    assertThat(overlay.isNews(pod, 20, "c1")).isTrue();
  }

  @Test
  void what_is_remembered_has_a_limit() {
    overlay.onOwnRemoval(pod);
    for (int i = 0; i < EndpointOverlay.MAX_PENDING; i++) {
      overlay.onOwnRemoval(new ResourceRef(Kind.WORKLOAD_ENDPOINT, "web", "other" + i));
    }
    assertThat(overlay.isNews(pod, 1, "c1")).isTrue();
  }

  @Test
  void an_endpoint_made_without_the_store_stays_until_the_store_tells_of_the_same_container() {
    overlay.onUnstoredPut(pod, "c2");
    assertThat(overlay.isNews(pod, 90, null)).isFalse();
    assertThat(overlay.isNews(pod, 91, "c1")).isFalse();
    assertThat(overlay.isNews(pod, 92, "c2")).isTrue();
    assertThat(overlay.isNews(pod, 93, null)).isTrue();
  }

  @Test
  void commits_of_a_store_that_was_replaced_are_uncertain_and_removals_are_not() {
    ResourceRef gone = new ResourceRef(Kind.WORKLOAD_ENDPOINT, "web", "gone");
    ResourceRef unstored = new ResourceRef(Kind.WORKLOAD_ENDPOINT, "web", "unstored");
    overlay.onOwnPut(pod, 90);
    overlay.onOwnRemoval(gone);
    overlay.onUnstoredPut(unstored, "c2");
    assertThat(overlay.onReplaced()).containsExactly(pod);
    assertThat(overlay.isNews(pod, 5, null)).as("revisions begin anew").isTrue();
    assertThat(overlay.isNews(gone, 5, "c1")).isFalse();
    assertThat(overlay.isNews(unstored, 5, null)).isFalse();
  }
}
