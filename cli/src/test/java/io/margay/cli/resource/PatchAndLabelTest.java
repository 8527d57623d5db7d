package io.margay.cli.resource;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PatchAndLabelTest {

  private static final String POOL =
      """
      apiVersion: projectcalico.org/v3
      kind: IPPool
      metadata: {name: pods, labels: {zone: a}}
      spec: {cidr: 10.64.0.0/16, blockSize: 26, allowedUses: [Workload, Tunnel]}
      """;

  private final MargayRun margay = new MargayRun();

  @BeforeEach
  void fill() {
    assertThat(margay.margay(POOL, "apply", "-f", "-")).isZero();
  }

  private String stored(String path) {
    margay.margay("", "get", "ippool", "pods", "-o", "jsonpath={" + path + "}");
    return margay.out;
  }

  @Test
  void a_patch_merges_objects_replaces_lists_and_removes_nulls() {
    String uid = stored(".metadata.uid");

    assertThat(
            margay.margay(
                "",
                "patch",
                "ippool",
                "pods",
                "-p",
                "{\"metadata\":{\"labels\":{\"zone\":null,\"rack\":\"r1\"}},"
                    + "\"spec\":{\"natOutgoing\":true,\"allowedUses\":[\"Workload\"]}}"))
        .isZero();

    assertThat(margay.out)
        .isEqualTo("IPPool(pods) patched\nSuccessfully patched 1 'IPPool' resource(s)\n");
    assertThat(stored(".metadata.labels")).isEqualTo("{\"rack\":\"r1\"}");
    assertThat(stored(".spec.natOutgoing")).isEqualTo("true");
    assertThat(stored(".spec.allowedUses")).isEqualTo("[\"Workload\"]");
    assertThat(stored(".spec.cidr")).isEqualTo("10.64.0.0/16");
    assertThat(stored(".metadata.uid")).isEqualTo(uid);
  }

  @Test
  void a_json_patch_does_its_operations_or_none() {
    assertThat(
            margay.margay(
                "",
                "patch",
                "ippool",
                "pods",
                "--type=json",
                "-p",
                "[{\"op\":\"test\",\"path\":\"/spec/blockSize\",\"value\":26},"
                    + "{\"op\":\"add\",\"path\":\"/metadata/labels/a~1b\",\"value\":\"c\"},"
                    + "{\"op\":\"copy\",\"from\":\"/metadata/labels/zone\",\"path\":\"/metadata/labels/copy\"},"
                    + "{\"op\":\"move\",\"from\":\"/metadata/labels/zone\",\"path\":\"/metadata/labels/moved\"},"
                    + "{\"op\":\"replace\",\"path\":\"/spec/allowedUses/0\",\"value\":\"LoadBalancer\"},"
                    + "{\"op\":\"remove\",\"path\":\"/spec/allowedUses/1\"}]"))
        .as(margay.err)
        .isZero();
    assertThat(stored(".metadata.labels"))
        .isEqualTo("{\"a/b\":\"c\",\"copy\":\"a\",\"moved\":\"a\"}");
    assertThat(stored(".spec.allowedUses")).isEqualTo("[\"LoadBalancer\"]");

    assertThat(
            margay.margay(
                "",
                "patch",
                "ippool",
                "pods",
                "--type=json",
                "-p",
                "[{\"op\":\"remove\",\"path\":\"/metadata/labels/copy\"},"
                    + "{\"op\":\"test\",\"path\":\"/spec/blockSize\",\"value\":24}]"))
        .isEqualTo(1);
    assertThat(margay.err).startsWith("IPPool(pods): test of /spec/blockSize fails: it is 26\n");
    assertThat(stored(".metadata.labels.copy")).isEqualTo("a");
  }

  @Test
  void what_a_patch_must_not_do() {
    assertThat(margay.margay("", "patch", "ippool", "pods", "-p", "{\"spec\":{\"blockSize\":24}}"))
        .isEqualTo(1);
    assertThat(margay.err).contains("IPPool(pods): spec.blockSize: never changes; it is 26");
    assertThat(margay.margay("", "patch", "ippool", "pods", "-p", "{\"spec\":{\"cidr\":\"x\"}}"))
        .isEqualTo(1);
    assertThat(margay.err).startsWith("IPPool(pods): patched it would not be valid: spec.cidr: ");
    assertThat(
            margay.margay("", "patch", "ippool", "pods", "-p", "{\"metadata\":{\"name\":\"q\"}}"))
        .isEqualTo(1);
    assertThat(margay.err).contains("a patch does not change kind, namespace or name");
    assertThat(margay.margay("", "patch", "ippool", "none", "-p", "{}")).isEqualTo(1);
    assertThat(margay.err).startsWith("IPPool(none): does not exist\n");
  }

  @Test
  void an_unreadable_patch_is_a_usage_error() {
    assertThat(margay.margay("", "patch", "ippool", "pods", "-p", "{")).isEqualTo(2);
    assertThat(margay.margay("", "patch", "ippool", "pods", "-p", "[]")).isEqualTo(2);
    assertThat(margay.err).isEqualTo("-p: --type strategic takes an object\n");
    assertThat(margay.margay("", "patch", "ippool", "pods", "-p", "{\"spec\":{\"$patch\":\"x\"}}"))
        .isEqualTo(2);
    assertThat(margay.err).isEqualTo("-p: spec.$patch is not supported; use --type json\n");
    assertThat(margay.margay("", "patch", "ippool", "pods", "-t", "json", "-p", "[{\"op\":\"x\"}]"))
        .isEqualTo(2);
    assertThat(margay.err)
        .isEqualTo("-p: [0].op: \"x\" is not one of add, remove, replace, move, copy, test\n");
  }

  @Test
  void labels_are_set_updated_and_removed() {
    assertThat(margay.margay("", "label", "ippool", "pods", "rack=r1")).isZero();
    assertThat(margay.out).isEqualTo("Successfully set label rack on ippool pods\n");
    assertThat(margay.margay("", "label", "ippool", "pods", "rack=r2")).isEqualTo(4);
    assertThat(margay.err)
        .isEqualTo("IPPool(pods): label rack is \"r1\" already; --overwrite replaces it\n");
    assertThat(margay.margay("", "label", "ippool", "pods", "rack=r2", "--overwrite")).isZero();
    assertThat(margay.out).isEqualTo("Successfully updated label rack on ippool pods\n");
    assertThat(stored(".metadata.labels")).isEqualTo("{\"rack\":\"r2\",\"zone\":\"a\"}");

    assertThat(margay.margay("", "label", "ippool", "pods", "rack", "--remove")).isZero();
    assertThat(margay.out).isEqualTo("Successfully removed label rack from ippool pods\n");
    assertThat(margay.margay("", "label", "ippool", "pods", "rack", "--remove")).isEqualTo(1);
    assertThat(margay.err).isEqualTo("IPPool(pods): has no label rack\n");
  }

  @Test
  void a_bad_label_is_refused() {
    assertThat(margay.margay("", "label", "ippool", "pods", "rack=no blanks")).isEqualTo(1);
    assertThat(margay.err).startsWith("IPPool(pods): metadata.labels.rack: \"no blanks\" is not");
    assertThat(margay.margay("", "label", "ippool", "pods", "rack")).isEqualTo(2);
    assertThat(margay.margay("", "label", "ippool", "pods", "rack=x", "--remove")).isEqualTo(2);
    assertThat(margay.margay("", "label", "ippool", "none", "rack=x")).isEqualTo(1);
    assertThat(margay.err).isEqualTo("IPPool(none): does not exist\n");
  }

  @Test
  void apply_adds_labels_and_takes_none_away() {
    margay.margay("", "label", "ippool", "pods", "rack=r1");

    assertThat(margay.margay(POOL.replace("zone: a", "zone: b"), "apply", "-f", "-")).isZero();

    assertThat(stored(".metadata.labels")).isEqualTo("{\"rack\":\"r1\",\"zone\":\"b\"}");
  }
}
