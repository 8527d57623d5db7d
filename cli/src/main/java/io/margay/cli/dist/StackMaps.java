package io.margay.cli.dist;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFileVersion;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeBuilder;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Enumeration;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;

/// Gives the classes of a jar the stack maps that compilers write since Java 7, and nothing else.
///
/// picocli is compiled for Java 5. The JVM verifies such classes with its old verifier each time
/// they are loaded and keeps none of them in an ahead-of-time cache: a third of a second at every
/// start of a command.
public final class StackMaps {

  private static final int FIRST_WITH_STACK_MAPS = ClassFile.JAVA_7_VERSION;

  private StackMaps() {}

  /// @param args the jar to rewrite in place; classes that have stack maps stay as they are
  public static void main(String[] args) throws IOException {
    Path jar = Path.of(args[0]);
    Path rewritten = jar.resolveSibling(jar.getFileName() + ".new");
    rewrite(jar, rewritten);
    Files.move(rewritten, jar, StandardCopyOption.REPLACE_EXISTING);
  }

  static void rewrite(Path from, Path to) throws IOException {
    try (JarFile jar = new JarFile(from.toFile());
        URLClassLoader inJar = new URLClassLoader(new URL[] {from.toUri().toURL()});
        OutputStream file = Files.newOutputStream(to);
        JarOutputStream out = new JarOutputStream(file)) {
      ClassFile classes =
          ClassFile.of(
              ClassFile.StackMapsOption.STACK_MAPS_WHEN_REQUIRED,
              ClassFile.ClassHierarchyResolverOption.of(
                  ClassHierarchyResolver.ofResourceParsing(inJar).cached()));
      for (Enumeration<JarEntry> entries = jar.entries(); entries.hasMoreElements(); ) {
        JarEntry entry = entries.nextElement();
        JarEntry copy = new JarEntry(entry.getName());
        copy.setTime(entry.getTime());
        out.putNextEntry(copy);
        out.write(withStackMaps(entry.getName(), octets(jar, entry), classes));
        out.closeEntry();
      }
    }
  }

  private static byte[] octets(JarFile jar, JarEntry entry) throws IOException {
    try (InputStream in = jar.getInputStream(entry)) {
      return in.readAllBytes();
    }
  }

  private static byte[] withStackMaps(String name, byte[] octets, ClassFile classes) {
    if (!name.endsWith(".class")) {
      return octets;
    }
    ClassModel model = classes.parse(octets);
    return model.majorVersion() >= FIRST_WITH_STACK_MAPS
        ? octets
        : classes.transformClass(
            model,
            // Only method bodies that pass through a transform get new attributes.
            ClassTransform.transformingMethodBodies(CodeBuilder::with)
                .andThen(
                    ClassTransform.endHandler(
                        builder -> builder.with(ClassFileVersion.of(FIRST_WITH_STACK_MAPS, 0)))));
  }
}
