package io.margay.cli.output;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GoTemplateTest {

  private static final String POOLS =
      """
      {"kind":"IPPoolList","items":[
        {"metadata":{"name":"a","labels":{"z":"1","b":"2"}},"spec":{"cidr":"10.0.0.0/16","blockSize":26,"allowedUses":["Workload","Tunnel"],"natOutgoing":true}},
        {"metadata":{"name":"b"},"spec":{"cidr":"fd00::/64","blockSize":122}}]}
      """;

  private static String run(String template) throws Exception {
    JsonNode pools = new JsonMapper().readTree(POOLS);
    return GoTemplate.parse(template).evaluate(List.of(pools));
  }

  @Test
  void a_template_for_calicoctl_works() throws Exception {
    assertThat(run("{{range .}}{{range .Items}}{{.ObjectMeta.Name}},{{.Spec.CIDR}};{{end}}{{end}}"))
        .isEqualTo("a,10.0.0.0/16;b,fd00::/64;");
  }

  @Test
  void a_template_for_kubectl_works() throws Exception {
    assertThat(run("{{range .items}}{{.metadata.name}}{{\"\\n\"}}{{end}}")).isEqualTo("a\nb\n");
  }

  @Test
  void items_of_several_lists_are_all_of_theirs() throws Exception {
    JsonNode pools = new JsonMapper().readTree(POOLS);
    assertThat(
            GoTemplate.parse("{{range .items}}{{.metadata.name}} {{end}}{{len .}}")
                .evaluate(List.of(pools, pools)))
        .isEqualTo("a b a b 2");
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '!',
      quoteCharacter = '~',
      textBlock =
          """
          {{with index .items 0}}{{join .spec.allowedUses ","}}{{end}}                 ! Workload,Tunnel
          {{with index .items 0}}{{join .metadata.labels " "}}{{end}}                  ! b=2 z=1
          {{with index .items 0}}{{joinAndTruncate .spec.allowedUses "," 10}}{{end}}   ! Workloa...
          {{with index .items 0}}{{.metadata.labels}} {{.spec.allowedUses}}{{end}}     ! map[b:2 z:1] [Workload Tunnel]
          {{len .items}}                                                               ! 2
          {{range $i, $p := .items}}{{$i}}:{{$p.metadata.name}} {{end}}.               ! 0:a 1:b .
          {{range $p := .items}}{{$p.Name}}{{end}}                                     ! ab
          {{range .items}}{{if .spec.natOutgoing}}nat{{else}}plain{{end}} {{end}}.     ! nat plain .
          {{range .items}}{{if gt .spec.blockSize 100}}6{{else if eq .spec.blockSize 26}}4{{else}}?{{end}}{{end}} ! 46
          {{range .items}}{{if and .spec.natOutgoing (not .metadata.none)}}x{{end}}{{end}} ! x
          {{range .items}}{{if or .spec.natOutgoing (ne .metadata.name "b")}}x{{end}}{{end}} ! x
          {{$x := "v"}}{{$x}}{{$x = "w"}}{{$x}}                                        ! vw
          {{printf "%s has %d, %5.1f%%" "it" 3 2.5}}                                   ! it has 3,   2.5%
          {{"x" | printf "%s-%s" "y"}}                                                 ! y-x
          {{range .nothing}}x{{else}}none{{end}}                                       ! none
          {{with .nothing}}x{{else}}none{{end}}                                        ! none
          a  {{- /* gone */ -}}  b                                                     ! ab
          a  {{- "x" -}}  b                                                            ! axb
          {{.kind}}{{.nothing}}{{$.kind}}                                              ! IPPoolListIPPoolList
          {{(index .items 1).metadata.name}}                                           ! b
          {{print "a" 1 true}} {{println "b"}}.                                        ! ~a1true b
          .~
          {{`raw "text" }}`}}                                                          ! raw "text" }}
          """)
  void the_common_part_of_the_language(String template, String expected) throws Exception {
    assertThat(run(template)).isEqualTo(expected);
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '!',
      quoteCharacter = '~',
      textBlock =
          """
          {{range .items}}             ! go-template: {{end}} is missing
          {{end}}                      ! go-template: {{end}}: no block is open
          {{.a                         ! go-template: "{{.a": }} is missing
          {{template "x"}}             ! go-template: {{template "x"}}: "template" is not supported
          {{upper .kind}}              ! go-template: {{upper .kind}}: there is no function "upper"
          {{if}}x{{end}}               ! go-template: {{}}: a value is missing
          {{.a ^}}                     ! go-template: {{.a ^}}: can't read " ^"
          """)
  void says_what_is_wrong(String template, String message) {
    assertThatThrownBy(() -> GoTemplate.parse(template))
        .isInstanceOf(TemplateException.class)
        .hasMessage(message);
  }

  @Test
  void an_unknown_variable_is_an_error() {
    assertThatThrownBy(() -> run("{{$x}}"))
        .isInstanceOf(TemplateException.class)
        .hasMessage("go-template: there is no variable $x");
  }
}
