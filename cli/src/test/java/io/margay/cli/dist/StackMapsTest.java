package io.margay.cli.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.classfile.ClassFile;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class StackMapsTest {

  @Test
  void old_classes_get_stack_maps_and_still_pass_the_verifier(@TempDir Path folder)
      throws Exception {
    Path original =
        Path.of(CommandLine.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    Path jar = Files.copy(original, folder.resolve("old.jar"), StandardCopyOption.REPLACE_EXISTING);
    assertThat(version(jar)).isLessThan(ClassFile.JAVA_7_VERSION);

    StackMaps.main(new String[] {jar.toString()});

    assertThat(version(jar)).isEqualTo(ClassFile.JAVA_7_VERSION);
    URL[] urls = {jar.toUri().toURL()};
    try (URLClassLoader loader = new URLClassLoader(urls, ClassLoader.getPlatformClassLoader());
        JarFile file = new JarFile(jar.toFile())) {
      List<String> names =
          file.stream()
              .map(entry -> entry.getName())
              .filter(name -> name.startsWith("picocli/CommandLine") && name.endsWith(".class"))
              .map(name -> name.substring(0, name.length() - ".class".length()).replace('/', '.'))
              .toList();
      assertThat(names).hasSizeGreaterThan(100);
      for (String name : names) {
        // Initialising a class verifies it.
        assertThat(Class.forName(name, true, loader).getClassLoader()).isSameAs(loader);
      }
    }
  }

  private static int version(Path jar) throws Exception {
    try (JarFile file = new JarFile(jar.toFile())) {
      var entry = file.getJarEntry(CommandLine.class.getName().replace('.', '/') + ".class");
      return ClassFile.of().parse(file.getInputStream(entry).readAllBytes()).majorVersion();
    }
  }
}
