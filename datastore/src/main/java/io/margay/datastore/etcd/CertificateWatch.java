package io.margay.datastore.etcd;

import io.margay.datastore.DatastoreSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/// Looks at the TLS files now and then and tells when their content has changed. A file that can't
/// be read counts as unchanged: whoever renews it may be half way.
final class CertificateWatch implements AutoCloseable {

  /// Reacts to new content.
  interface Renewal {

    /// @return whether the new files are in use; false = ask again next time
    boolean renew();
  }

  private final List<Path> files;
  private final Renewal renewal;
  private final ScheduledThreadPoolExecutor thread;
  private String seen;

  CertificateWatch(DatastoreSettings.Tls tls, Duration interval, Renewal renewal) {
    this.renewal = renewal;
    List<Path> all = new ArrayList<>(List.of(tls.caFile()));
    tls.certificateFile().ifPresent(all::add);
    tls.keyFile().ifPresent(all::add);
    files = List.copyOf(all);
    seen = content();
    thread =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("etcd-certificates").factory());
    thread.scheduleWithFixedDelay(
        this::look, interval.toMillis(), interval.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void look() {
    String now = content();
    if (!now.isEmpty() && !now.equals(seen) && renewal.renew()) {
      seen = now;
    }
  }

  /// A digest of all files; empty when one can't be read.
  private String content() {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (Path file : files) {
        if (Files.size(file) > PemFiles.MAX_OCTETS) {
          return "";
        }
        digest.update(Files.readAllBytes(file));
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (IOException halfWay) {
      return "";
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException("every Java platform has SHA-256", impossible);
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
