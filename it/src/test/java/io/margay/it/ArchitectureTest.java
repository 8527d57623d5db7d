package io.margay.it;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The arrows between modules and what each room may touch (ARCHITECTURE.md).
class ArchitectureTest {

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("io.margay");

  /// Module → the modules it may use, beside itself. `bgp` and `linux` are checked more narrowly
  /// below.
  private static final Map<String, Set<String>> ARROWS =
      Map.ofEntries(
          Map.entry("model", Set.of()),
          Map.entry("datastore", Set.of("model")),
          Map.entry("ipam", Set.of("datastore", "model")),
          Map.entry("policy", Set.of("model")),
          Map.entry("bgp", Set.of("model")),
          Map.entry("linux", Set.of("model")),
          Map.entry("cni", Set.of("ipam", "linux", "datastore", "model")),
          Map.entry("agent", Set.of("cni", "ipam", "linux", "datastore", "policy", "bgp", "model")),
          Map.entry(
              "cli",
              Set.of("agent", "cni", "ipam", "linux", "datastore", "policy", "bgp", "model")));

  @Test
  void every_module_uses_only_the_modules_its_arrows_allow() {
    Set<String> wrong = new TreeSet<>();
    for (JavaClass from : CLASSES) {
      String module = module(from);
      Set<String> allowed = ARROWS.get(module);
      if (allowed == null) {
        continue;
      }
      from.getDirectDependenciesFromSelf().stream()
          .map(dependency -> dependency.getTargetClass())
          .filter(to -> to.getPackageName().startsWith("io.margay."))
          .filter(to -> !module(to).equals(module) && !allowed.contains(module(to)))
          .forEach(to -> wrong.add(from.getName() + " → " + to.getName()));
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void every_class_is_in_a_known_module() {
    assertThat(CLASSES.stream().map(ArchitectureTest::module).collect(Collectors.toSet()))
        .isSubsetOf(withBench());
  }

  private static Set<String> withBench() {
    Set<String> modules = new TreeSet<>(ARROWS.keySet());
    modules.addAll(List.of("bench", "it"));
    return modules;
  }

  private static String module(JavaClass type) {
    String[] parts = type.getPackageName().split("\\.", -1);
    return parts.length > 2 ? parts[2] : "";
  }

  @ParameterizedTest
  @ValueSource(strings = {"bgp", "linux"})
  void bgp_and_linux_see_only_network_values(String module) {
    check(
        noClasses()
            .that()
            .resideInAPackage("io.margay." + module + "..")
            .should()
            .dependOnClassesThat(
                com.tngtech.archunit.base.DescribedPredicate.describe(
                    "in model but not model.net",
                    type ->
                        type.getPackageName().startsWith("io.margay.model")
                            && !type.getPackageName().startsWith("io.margay.model.net"))));
  }

  @Test
  void native_code_is_reached_through_linux_only() {
    check(only("jnr..", "io.margay.linux.."));
  }

  @Test
  void etcd_is_reached_through_its_store_only() {
    check(only("io.etcd..", "io.margay.datastore.etcd.."));
    check(only("io.grpc..", "io.margay.datastore.etcd.."));
    check(only("io.vertx..", "io.margay.datastore.etcd.."));
  }

  @Test
  void netty_stays_where_octets_and_sockets_are() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackages(
                "io.margay.bgp.codec..",
                "io.margay.bgp.transport..",
                "io.margay.bgp.bfd..",
                "io.margay.bgp.speaker..",
                "io.margay.cli.http..",
                "io.margay.datastore.etcd..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.netty.."));
  }

  @Test
  void dropwizard_stays_at_the_agents_rim() {
    check(only("io.dropwizard..", "io.margay.agent.http.."));
    check(only("org.eclipse.jetty..", "io.margay.agent.http.."));
  }

  private static ArchRule only(String library, String room) {
    return noClasses()
        .that()
        .resideOutsideOfPackage(room)
        .should()
        .dependOnClassesThat()
        .resideInAPackage(library);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "io.margay.model..",
        "io.margay.policy..",
        "io.margay.bgp.message..",
        "io.margay.bgp.fsm..",
        "io.margay.bgp.policy..",
        "io.margay.bgp.rib..",
        "io.margay.agent.calc.."
      })
  void pure_rooms_know_no_clock_no_thread_and_no_io(String room) {
    check(
        noClasses()
            .that()
            .resideInAPackage(room)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                "java.nio.file..",
                "java.nio.channels..",
                "java.net..",
                "java.util.concurrent.locks..",
                "org.slf4j..")
            .orShould()
            .dependOnClassesThat()
            .areAssignableTo(Thread.class)
            .orShould()
            .dependOnClassesThat()
            .areAssignableTo(Clock.class)
            .orShould()
            .callMethod(Instant.class, "now")
            .orShould()
            .callMethod(System.class, "nanoTime")
            .orShould()
            .callMethod(System.class, "currentTimeMillis"));
  }

  @Test
  void names_say_what_a_thing_is() {
    check(
        noClasses()
            .should()
            .haveSimpleNameEndingWith("Impl")
            .orShould()
            .haveSimpleNameEndingWith("Util")
            .orShould()
            .haveSimpleNameEndingWith("Utils")
            .orShould()
            .haveSimpleNameEndingWith("Helper")
            .orShould()
            .resideInAnyPackage("..impl..", "..common..", "..util.."));
  }

  @Test
  void packages_have_no_cycles() {
    for (String module :
        List.of("model", "datastore", "ipam", "policy", "bgp", "linux", "cni", "cli")) {
      slices()
          .matching("io.margay." + module + ".(*)..")
          .should()
          .beFreeOfCycles()
          .allowEmptyShould(true)
          .check(CLASSES);
    }
  }

  @Test
  void product_code_does_not_print_or_exit() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackages("io.margay.cli..")
            .should()
            .accessField(System.class, "out")
            .orShould()
            .accessField(System.class, "err")
            .orShould()
            .callMethod(System.class, "exit", int.class));
  }

  @Test
  void every_package_has_its_sign() {
    check(
        classes()
            .that()
            .haveSimpleName("package-info")
            .should()
            .beAnnotatedWith(org.jspecify.annotations.NullMarked.class));
    Set<String> signed =
        CLASSES.stream()
            .filter(type -> type.getSimpleName().equals("package-info"))
            .map(JavaClass::getPackageName)
            .collect(Collectors.toSet());
    Set<String> all = CLASSES.stream().map(JavaClass::getPackageName).collect(Collectors.toSet());
    assertThat(all).isSubsetOf(signed);
  }

  private static void check(ArchRule rule) {
    rule.allowEmptyShould(true).check(CLASSES);
  }
}
